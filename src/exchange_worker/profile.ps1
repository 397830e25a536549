# Runs once when a worker starts, in the global scope. Imports nothing: the worker must start within 30 seconds, and the
# first command loads what it needs. Sets nothing: strict mode and preferences of the global scope would affect
# Microsoft's module.

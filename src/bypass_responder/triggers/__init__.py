"""The use cases of the functions, one module per trigger."""

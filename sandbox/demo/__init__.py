"""`python -m sandbox demo`: an attack from audit record to contained account.

It is shown as it happens, and then proven.
"""

from sandbox.demo.main import main

__all__ = ["main"]

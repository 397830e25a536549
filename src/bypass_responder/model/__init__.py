"""The words of this project: frozen values, no I/O."""

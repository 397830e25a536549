"""One use case per trigger."""

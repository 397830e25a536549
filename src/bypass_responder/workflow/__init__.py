"""One use case per trigger; the only place where the stages meet."""

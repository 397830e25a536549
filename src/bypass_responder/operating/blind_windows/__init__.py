"""The times for which records do not exist: of whose actions, of which types, and why."""

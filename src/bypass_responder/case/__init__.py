"""Stored state and its pure transitions, of one account or of the tenant."""

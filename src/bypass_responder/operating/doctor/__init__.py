"""Finds what is missing or wrong in an installation, and the fix."""

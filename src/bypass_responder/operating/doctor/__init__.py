"""What is missing on an installation, and what fixes it."""

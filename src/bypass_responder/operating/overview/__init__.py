"""What the console's pages show besides incidents and the allowlist; the API gives it as JSON."""

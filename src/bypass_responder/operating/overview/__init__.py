"""What the pages of the console show besides incidents and the allowlist; the API gives the same as JSON."""

"""The allowlist for people: entries with their state, edits, import and export, history, review, explanation."""

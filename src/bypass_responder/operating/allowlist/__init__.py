"""The allowlist for people: entries, edits, import and export, history, review, explanation."""

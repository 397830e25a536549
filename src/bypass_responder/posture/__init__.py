"""What mailboxes audit, compared with dated baselines, and what would change that. Pure."""

"""Who else than its owner opened a watched mailbox: read once a day, counted by actor and operation."""

"""Mailboxes from files that somebody exported with Get-EXOMailbox or Get-Mailbox, whatever a tool made of them."""

"""Mailboxes from files that somebody exported with Get-EXOMailbox or Get-Mailbox.

The files are read whatever another tool has made of them.
"""

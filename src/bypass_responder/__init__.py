"""Detects and undoes mailbox audit bypass in Exchange Online."""

"""Detects and undoes mailbox audit bypass in Exchange Online."""

__version__ = "0.1.0"

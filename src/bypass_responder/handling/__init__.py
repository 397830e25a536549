"""Bring one account forward: identify, decide, store, act, read back, notify."""

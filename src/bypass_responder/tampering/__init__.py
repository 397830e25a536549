"""The tampering family: the ways to weaken auditing besides a bypass. Pure.

Each way has its meaning and its repair.
"""

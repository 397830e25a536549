"""The tampering family: the ways to weaken auditing besides a bypass, each with its meaning and its repair. Pure."""

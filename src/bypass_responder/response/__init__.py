"""Changes of a case: pure transitions on a ``Draft``, and the calls that carry the steps out, through ports."""

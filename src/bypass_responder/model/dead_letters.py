"""Where Event Grid puts the alerts that it could not deliver, and for how long they count as new."""

DEAD_LETTERS = "dead-letters"
"""The container."""
DEAD_LETTER_DAYS = 7

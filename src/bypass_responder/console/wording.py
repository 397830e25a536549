"""The responder's texts that name a command of bypassctl, reworded for a reader of the console.

They name the button or the page in place of the command.
"""

from __future__ import annotations

import re

_OPTIONS = r'(?: --account \S+)?(?: --reason "[^"]*")?'
_INSTEAD = {
    rf": bypassctl incidents (?:approve|dismiss|close|release|ack) [\w-]+{_OPTIONS}": (
        ": use the button on the page of the incident"
    ),
    r": bypassctl incidents show [\w-]+": ": see the page of the incident",
    r": bypassctl incidents list\b": ": see the page Incidents",
    rf": bypassctl allowlist approve [\w-]+{_OPTIONS}": ": use the button on the page of the entry",
    r": bypassctl accounts bypassed\b": ": see the page Bypassed",
}


def in_console(text: str) -> str:
    """Return the text with the button or the page in place of the command."""
    for command, instead in _INSTEAD.items():
        text = re.sub(command, instead, text)
    return text

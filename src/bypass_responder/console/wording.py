"""The responder's texts that name a command of bypassctl, reworded for a reader of the console.

They name the button or the page in place of the command.
"""

from __future__ import annotations

import re

_OPTIONS = r'(?: --account \S+)?(?: --reason "[^"]*")?'
_INSTEAD = {
    rf": bypassctl incidents approve [\w-]+{_OPTIONS}": ": use the first button on the page of the incident",
    rf": bypassctl incidents dismiss [\w-]+{_OPTIONS}": ": use the button *Dismiss* on the page of the incident",
    rf": bypassctl incidents close [\w-]+{_OPTIONS}": ": use the button *Close* on the page of the incident",
    rf": bypassctl incidents release [\w-]+{_OPTIONS}": ": use the button *Release* on the page of the incident",
    r": bypassctl incidents ack [\w-]+": ": use the button *I have it* on the page of the incident",
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

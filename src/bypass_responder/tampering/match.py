"""What a record must say to be one of the family, and how its parameters are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.operation import folded

if TYPE_CHECKING:
    from bypass_responder.model.record import AuditRecord

_SEPARATORS = re.compile(r"[;,\[\]\"]+")
_COMMON_NAME = re.compile(r"\s*CN=((?:\\.|[^,\\])*)", re.IGNORECASE | re.DOTALL)
_LONGEST_NAME = 64
"""Characters that Exchange allows for the name of an assignment."""
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


class Match(NamedTuple):
    """What in a record weakens auditing: the parameter, its value, the object, and what is lost."""

    parameter: str = ""
    value: str = ""
    target: str = ""
    extent: str = ""
    weakens: bool = True


class Own(NamedTuple):
    """The names under which the responder and its worker hold their own rights.

    What is ours is exempt by an exact match only, and without a path: anybody can choose a name that contains ours.
    What was taken from us is recognized by any likeness.
    """

    role_groups: tuple[str, ...] = ()
    """The role groups of the worker, first the one that can set bypasses. Its roles are named ``GROUP - PARENT``."""
    ids: frozenset[str] = frozenset()
    """Object and application ids of the two identities, as far as they are known."""
    cmdlets: frozenset[str] = frozenset()
    """The cmdlets that the worker runs, folded. Empty: unknown, so that each counts as one."""

    def is_group(self, name: str) -> bool:
        """Return True for one of our role groups, however the record writes the path to it."""
        return folded(last_part(name)) in map(folded, self.role_groups)

    def is_role(self, name: str) -> bool:
        """Return True for a role of ours, or an assignment of one under its default name, however it is written."""
        return any(_begins(last_part(name), group) for group in self.role_groups)

    def is_entry(self, name: str) -> bool:
        r"""Return True for an entry (``ROLE\CMDLET``, also with wildcards) of a role of ours that the worker needs."""
        role, _, cmdlet = name.rpartition("\\")
        needed = not self.cmdlets or any(fnmatchcase(each, folded(cmdlet)) for each in self.cmdlets)
        return self.is_role(role) and needed

    def gives(self, role: str) -> bool:
        """Return True for a role of ours that can set bypasses."""
        return any(_begins(last_part(role), group) for group in self.role_groups[:1])

    def holds(self, group: str, role: str) -> bool:
        """Return True for a role that our installation gives to this very role group of ours."""
        return any(_same(group, own) and _begins(role, own) for own in self.role_groups[:1])

    def is_assignment(self, name: str) -> bool:
        """Return True for the default name of the assignment that ``holds`` describes.

        Exchange cuts a default name off.
        """
        role, _, holder = name.strip().rpartition("-")
        is_cut = len(name.strip()) == _LONGEST_NAME and holder != ""
        return any(
            _begins(role, own) and (_same(holder, own) or (is_cut and own.casefold().startswith(holder.casefold())))
            for own in self.role_groups[:1]
        )

    def makes(self, role: str, parent: str) -> bool:
        """Return True for the name that our installation gives to a role that it makes of ``parent``."""
        return any(_same(role, f"{group} - {parent}") for group in self.role_groups[:1])

    def is_us(self, member: str) -> bool:
        """Return True for one of our ids.

        A name, which others may have, counts only while our ids are unknown.
        """
        return guid_or_none(member) in self.ids if self.ids else any(_same(member, own) for own in self.role_groups)

    def resembles_us(self, text: str) -> bool:
        """Return True for a text with a name or an id of ours in it, or of one of our roles and assignments."""
        return any(folded(group) in folded(text) for group in self.role_groups) or self.has_id(text)

    def has_id(self, text: str) -> bool:
        """Return True when the text has one of our ids in it."""
        return any(each in text.lower() for each in self.ids)


def _same(text: str, name: str) -> bool:
    return text.strip().casefold() == name.casefold()


def _begins(role: str, group: str) -> bool:
    return role.strip().casefold().startswith(f"{group} - ".casefold())


Matcher = Callable[["AuditRecord", Own], Match | None]


def given(record: AuditRecord, parameter: str) -> str | None:
    """Return the value of a parameter, whatever the case of its name; None when it was not given."""
    values = all_given(record.parameters, parameter)
    return ", ".join(values) if values else None


def all_given(parameters: Mapping[str, str], parameter: str) -> list[str]:
    """Return the values of a parameter under every spelling of its name."""
    return sorted(value for name, value in parameters.items() if folded(name) == folded(parameter))


def listed(text: str) -> Iterator[str]:
    """The elements of a list as records write it: ``a;b``, ``a,b``, or JSON."""
    return (part for each in _SEPARATORS.split(text) if (part := each.strip()))


def last_part(name: str) -> str:
    r"""Return the last part of a path (``host/organization/name``, ``tenant\name``), or the name as it is.

    Of a distinguished name (``CN=name,OU=…``), the first common name.
    """
    bare = name.strip().strip('"')
    if found := _COMMON_NAME.match(bare):
        return _ESCAPED.sub(_unescaped, found[1]).strip()
    return re.split(r"[/\\]", bare)[-1]


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if len(found[1]) > 1 else found[1]


def object_of(record: AuditRecord) -> str:
    """Return the object of the command as it was typed; else as the record names it."""
    return next(iter(names_of(record)), "")


def names_of(record: AuditRecord) -> list[str]:
    """Return the names of the command's object: as it was typed, which may be an id, and as the record names it."""
    return [name for each in (given(record, "Identity"), record.object_id) if (name := (each or "").strip())]


def named(record: AuditRecord, is_it: Callable[[str], bool]) -> str | None:
    """Return the name of the command's object of which ``is_it`` is true; None if it is true of none."""
    return next(filter(is_it, names_of(record)), None)

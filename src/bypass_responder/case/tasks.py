"""Tasks for people, each with the command that does it, quoted for the shell it is for. Pure.

A name from an audit record becomes part of a command only where it can be nothing but a name: see ``_NAME``.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.change import Actor, ActorKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME = re.compile(r"[A-Za-z0-9._'+#!^~-]{1,64}@[A-Za-z0-9.-]{1,255}\Z")
"""A user principal name, without a character that a terminal or a shell may take for more than text."""
_USERS = "https://graph.microsoft.com/v1.0/users"
_DIRECTORY_AUDITS = "https://graph.microsoft.com/v1.0/auditLogs/directoryAudits"
PARTNERS = "https://admin.microsoft.com/#/partners"
MOST_ACTORS = 3
USERS_ROLE = "needs the Entra role User Administrator, for an administrator Privileged Authentication Administrator"
APPS_ROLE = "needs the Entra role Cloud Application Administrator"
AUDIT_ROLE = "needs the Entra role Reports Reader"


class Task(NamedTuple):
    """One thing to do.

    ``command``: for a shell, or PowerShell with Exchange Online; empty when there is none.
    """

    text: str
    command: str = ""

    def __str__(self) -> str:
        """For people: what to do, then the command."""
        return f"{self.text}: {self.command}" if self.command else f"{self.text.rstrip('.')}."


def show(entry_id: str | None) -> Task:
    """Return the command that shows the rest."""
    return Task("Read the rest", f"bypassctl incidents show {entry_id}" if entry_id else "bypassctl status")


def decide(verb: str, incident_id: str, text: str, *, account: str = "") -> Task:
    """Return the command for a person's decision. ``account``: of an unresolved incident."""
    if verb == "ack":
        return Task(text, f"bypassctl incidents ack {incident_id}")
    named = f" --account {account}" if account else ""
    return Task(text, f'bypassctl incidents {verb} {incident_id}{named} --reason "TICKET"')


def switch_off(
    name: str, text: str = "Remove the bypass yourself, in Exchange Online PowerShell as Exchange Administrator"
) -> Task:
    """Return the cmdlet that removes the bypass of one account. PowerShell takes two quotes for one."""
    if not is_name(name):
        return Task(f"{text}, of the account that the notification names")
    quoted = name.replace("'", "''")
    return Task(text, f"Set-MailboxAuditBypassAssociation -Identity '{quoted}' -AuditBypassEnabled $false")


def block_yourself(name: str, *, shown: str = "") -> tuple[Task, ...]:
    """Return the commands that block an account, ``shown`` to people as, and revoke its sessions.

    They need the Entra role.
    """
    if not is_name(name):
        return (Task("Block the account in the Entra admin center"),)
    url = f"{_USERS}/{quote(name, safe='@')}/revokeSignInSessions"
    return (
        Task(f"Block sign-in ({USERS_ROLE})", f"az ad user update --id={shlex.quote(name)} --account-enabled false"),
        Task(f"Revoke the sessions of {shown or name}", f"az rest --method post --url {shlex.quote(url)}"),
    )


def disable_on_premises(name: str) -> tuple[Task, ...]:
    """Return the commands for a synchronized account, for PowerShell with the module ActiveDirectory."""
    fact = f"The account {name} is synchronized from on-premises, and the next synchronization enables it again"
    if not is_name(name):
        return (Task(f"{fact}. Disable it in Active Directory, and reset its password there"),)
    quoted = name.replace("'", "''")
    found = f"Get-ADUser -Filter \"UserPrincipalName -eq '{quoted}'\""
    return (
        Task(f"{fact}. Disable it in Active Directory", f"{found} | Disable-ADAccount"),
        Task("Reset its password there", f"{found} | Set-ADAccountPassword -Reset"),
    )


def find_who_enabled(object_id: str) -> Task:
    """Return the query of the Entra audit log for what was done to an account, newest first."""
    about = quote(f"targetResources/any(t:t/id eq '{object_id}')", safe="/():")
    url = f"{_DIRECTORY_AUDITS}?$filter={about}"
    return Task(
        f"Find out who enabled it, in the Entra audit log ({AUDIT_ROLE})",
        f"az rest --method get --url {shlex.quote(url)}",
    )


def reset_password(name: str) -> Task:
    """Return the command that gives an account a random password, which it has to change."""
    if not is_name(name):
        return Task("Reset its password")
    random = '--password "$(openssl rand -base64 24)" --force-change-password-next-sign-in true'
    return Task(
        f"Reset the password of {name} (the same role as to block it)",
        f"az ad user update --id={shlex.quote(name)} {random}",
    )


def contain_actors(actors: Iterable[Actor]) -> tuple[Task, ...]:
    """Return what contains those who ran the cmdlet, by what they are.

    Their names come from audit records.
    """
    several = list(actors)
    if not several:
        return (Task("No audit record names the actor yet. Search the audit log for who ran the cmdlet"),)
    found = [task for actor in several[:MOST_ACTORS] for task in _contain(actor)]
    if len(several) > MOST_ACTORS:
        found.append(Task(f"{len(several) - MOST_ACTORS} more actors are in the incident"))
    return tuple(found)


def _contain(actor: Actor) -> Sequence[Task]:
    investigate = Task(f"Investigate the actor {actor.described}")
    name = next((each for each in (actor.object_id, actor.user_id) if each and is_name(each)), "")
    match actor.kind:
        case ActorKind.APPLICATION:
            return (investigate, *_stop_application(actor))
        case ActorKind.PARTNER:
            return (investigate, Task(f"If the partner is not known to you, end its relationship on {PARTNERS}"))
        case ActorKind.MICROSOFT:
            return (investigate, Task("It is a service or an employee of Microsoft. Open a support request"))
    if not name:
        return (investigate, Task("No account has this name. Search for it in Entra before you contain anyone"))
    first, *rest = block_yourself(name)
    text = f"Contain {actor}, unless others confirm that it was intended"
    contain = first._replace(text=f"{text}. The responder does so only with ACTOR_RESPONSE=contain. {first.text}")
    return (contain, *rest, reset_password(name), investigate)


def _stop_application(actor: Actor) -> tuple[Task, ...]:
    stated = (actor.user_id or "").removeprefix("ServicePrincipal_")
    ids = [guid for each in (actor.object_id, stated, actor.app_id) if each and (guid := guid_or_none(each))]
    if not ids:
        return (Task("Find its service principal in Entra, and disable it"),)
    stop = Task(
        f"Unless it had a reason, stop the application ({APPS_ROLE})",
        f"az ad sp update --id {ids[0]} --set accountEnabled=false",
    )
    app = guid_or_none(actor.app_id or "")
    return (stop, Task("Replace its secrets", f"az ad app credential reset --id {app}")) if app else (stop,)


def is_name(text: str) -> bool:
    """Return True for an object id or a user principal name that can be part of a command."""
    return guid_or_none(text) == text or _NAME.match(text) is not None

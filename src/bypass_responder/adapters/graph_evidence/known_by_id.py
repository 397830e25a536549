"""A record names its actor by user principal name; some logs know accounts by object id or mail addresses alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.question import Answer, Question

if TYPE_CHECKING:
    from bypass_responder.ports import Directory, EvidenceSource


class KnownById:
    """Looks up the object id that a question lacks, then asks the source. Permission: User.Read.All."""

    def __init__(self, source: EvidenceSource, directory: Directory) -> None:
        """Take the source, and where the id is."""
        self._source = source
        self._directory = directory

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Ask about the account that has the name now; without one, about the name."""
        who = question.account
        if who.object_id is None and who.user_principal_name:
            found = await self._directory.find(who.user_principal_name)
            if found is not None:
                account = who.model_copy(update={"object_id": found.object_id})
                question = question.model_copy(update={"account": account})
        return await self._source.ask(question, memo)


class WithAddresses:
    """Looks up the mail addresses of the account, then asks the source. Permission: User.Read.All."""

    def __init__(self, source: EvidenceSource, directory: Directory) -> None:
        """Take the source, and where the addresses are."""
        self._source = source
        self._directory = directory

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Ask about all addresses; without an account in the directory, about the name."""
        who = question.account
        name = who.object_id or who.user_principal_name
        found = await self._directory.find(name) if name else None
        addresses = found.mail_addresses if found else None
        return await self._source.ask(question.model_copy(update={"addresses": addresses}), memo)

"""The sources of evidence by their names. Each is imported at its first use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bootstrap.connected import new_id, utc_now
from bypass_responder.late import late
from bypass_responder.settings import Settings

if TYPE_CHECKING:
    from bypass_responder import ports
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.operating import self_check


def exports(gathered: ports.GatheredEvidence) -> ports.EvidenceSource:
    from bypass_responder.evidence.exports import ExportsWithoutSignIn

    return ExportsWithoutSignIn(gathered)


def other_changes(index: ports.Index) -> ports.EvidenceSource:
    from bypass_responder.evidence.own_records import OtherChanges

    return OtherChanges(index)


def authorization(
    settings: Settings, index: ports.Index, ledger: ports.Ledger, allowlist: ports.Allowlist
) -> ports.EvidenceSource:
    from bypass_responder.evidence.own_records import Authorization

    return Authorization(settings, index, ledger, allowlist)


def of_worker(reads: ports.ExchangeReads, settings: Settings) -> dict[str, ports.EvidenceSource]:
    """Return the sources of evidence that the Exchange worker answers, by their names."""

    def made(name: str) -> ports.EvidenceSource:
        from bypass_responder.evidence.mailbox_reads import SOURCES, MailboxReads

        sections, judge = SOURCES[name]
        return MailboxReads(reads, utc_now, new_id, tenant_id=settings.tenant_id, sections=sections, judge=judge)

    names = ("inbox_rules", "forwarding", "delegates", "opens_mailboxes")
    return {name: late(partial(made, name)) for name in names}


def of_graph(
    graph: GraphReader, hunting: ports.Hunting, tokens: self_check.OwnTokens, directory: ports.Directory
) -> dict[str, ports.EvidenceSource]:
    """Return the sources of evidence that Graph answers, by their names in ``evidence.sources``."""
    from bypass_responder.evidence.sources import SOURCES

    def one(name: str) -> ports.EvidenceSource:
        from bypass_responder.adapters.graph_evidence.sources import graph_sources

        return graph_sources(graph, hunting, tokens, directory)[name]

    return {source.name: late(partial(one, source.name)) for source in SOURCES if ".Read.All" in source.permission}


def mailbox_search(graph: GraphReader, tokens: self_check.OwnTokens) -> ports.EvidenceSource:
    from bypass_responder.adapters.graph_evidence.audit_log_queries import MAILBOX_ACCESS, AuditLogQueries

    return AuditLogQueries(graph, tokens, MAILBOX_ACCESS)

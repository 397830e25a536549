"""The sources of evidence that Graph answers, by their names in ``evidence.sources``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.adapters.graph_evidence.alerts import Alerts
from bypass_responder.adapters.graph_evidence.audit_log_queries import TOPICS, AuditLogQueries
from bypass_responder.adapters.graph_evidence.directory_audits import DirectoryAudits
from bypass_responder.adapters.graph_evidence.hunted_tables import EmailEvents, GraphCalls
from bypass_responder.adapters.graph_evidence.known_by_id import KnownById, WithAddresses
from bypass_responder.adapters.graph_evidence.message_traces import MessageTraces
from bypass_responder.adapters.graph_evidence.risk_detections import RiskDetections
from bypass_responder.adapters.graph_evidence.sign_ins import SignIns

if TYPE_CHECKING:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.operating.self_check import OwnTokens
    from bypass_responder.ports import Directory, EvidenceSource, Hunting


def graph_sources(
    graph: GraphReader, hunting: Hunting, tokens: OwnTokens, directory: Directory
) -> dict[str, EvidenceSource]:
    """Return every source; nothing connects before the first ask."""
    queries: dict[str, EvidenceSource] = {name: AuditLogQueries(graph, tokens, topic) for name, topic in TOPICS.items()}
    return queries | {
        "sign_ins": SignIns(graph),
        "sign_ins_non_interactive": SignIns(graph, "nonInteractiveUser"),
        "sign_ins_application": SignIns(graph, "servicePrincipal", "managedIdentity"),
        "graph_activity": KnownById(GraphCalls(hunting), directory),
        "directory_changes": KnownById(DirectoryAudits(graph), directory),
        "message_trace": WithAddresses(MessageTraces(graph), directory),
        "email_events": KnownById(WithAddresses(EmailEvents(hunting), directory), directory),
        "security_alerts": Alerts(graph),
        "dlp_alerts": Alerts(graph, data_loss=True),
        "risk_detections": KnownById(RiskDetections(graph), directory),
    }

"""Sigma rules and pySigma pipelines → the files of the pack, as text."""

from __future__ import annotations

import json
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import tomli_w
from sigma.backends.elasticsearch.elasticsearch_eql import EqlBackend
from sigma.backends.kusto.kusto import KustoBackend
from sigma.backends.splunk.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sigma.conversion.base import Backend

HERE = Path(__file__).resolve().parent
RULES = tuple(sorted(path.stem for path in (HERE / "sigma").glob("*.yml")))
GENERATED = ("sentinel/*.kql", "sentinel/rules.json", "defender/*.kql", "elastic/*", "splunk/*.spl")
"""What of the pack is written by ``make detections``."""


class _Eql(EqlBackend):
    """EQL with Sigma's modifier ``exists``, for fields that the pipeline made optional."""

    field_exists_expression: ClassVar[str] = "{field} != null"


BACKENDS: Mapping[str, type[Backend]] = {
    "sentinel": KustoBackend,
    "defender": KustoBackend,
    "elastic": _Eql,
    "splunk": SplunkBackend,
}


class Severity(NamedTuple):
    """A Sigma level in the words of the products."""

    sentinel: str
    elastic: str
    risk_score: int


SEVERITIES = {
    "critical": Severity("High", "critical", 99),
    "high": Severity("High", "high", 73),
    "medium": Severity("Medium", "medium", 47),
}
THREAT = {
    "framework": "MITRE ATT&CK",
    "tactic": {
        "id": "TA0005",
        "name": "Defense Evasion",
        "reference": "https://attack.mitre.org/tactics/TA0005/",
    },
    "technique": [
        {
            "id": "T1562",
            "name": "Impair Defenses",
            "reference": "https://attack.mitre.org/techniques/T1562/",
            "subtechnique": [
                {
                    "id": "T1562.008",
                    "name": "Disable or Modify Cloud Logs",
                    "reference": "https://attack.mitre.org/techniques/T1562/008/",
                }
            ],
        }
    ],
}
"""Elastic and Sentinel have ATT&CK before version 19, where T1685.002 replaced T1562.008."""


@cache
def rule(name: str) -> SigmaRule:
    """The Sigma rule of that name."""
    [found] = SigmaCollection.from_yaml((HERE / "sigma" / f"{name}.yml").read_text("utf-8")).rules
    if not isinstance(found, SigmaRule):
        raise TypeError(f"sigma/{name}.yml is a {type(found).__name__}; write a plain Sigma rule")
    return found


@cache
def query(name: str, target: str) -> str:
    """The rule as a query of the target."""
    pipeline = ProcessingPipeline.from_yaml((HERE / "pipelines" / f"{target}.yml").read_text("utf-8"))
    text = (HERE / "sigma" / f"{name}.yml").read_text("utf-8")
    [found] = BACKENDS[target](pipeline).convert(SigmaCollection.from_yaml(text))
    return str(found)


def files() -> dict[str, str]:
    """Path within the pack → text, of all that is generated."""
    return {
        **{f"{target}/{name}.kql": f"{query(name, target)}\n" for target in ("sentinel", "defender") for name in RULES},
        "sentinel/rules.json": _json({name: sentinel_rule(name) for name in RULES}),
        **{f"elastic/{name}.toml": tomli_w.dumps(elastic_file(name), multiline_strings=True) for name in RULES},
        "elastic/rules.ndjson": "".join(f"{json.dumps(elastic_rule(name))}\n" for name in RULES),
        "splunk/bypass.spl": f"{query('bypass', 'splunk')}\n",
    }


def sentinel_rule(name: str) -> dict[str, Any]:
    """The properties of an analytics rule, without its query.

    The custom details are those that the responder reads of an alert.
    """
    of = rule(name)
    has_target = "ObjectId" in of.fields
    return {
        "id": str(of.id),
        "displayName": of.title,
        "description": _described(of),
        "severity": _severity(of).sentinel,
        "tactics": ["DefenseEvasion"],
        "techniques": ["T1562"],
        "entityMappings": [
            _entity("Account", FullName="Actor"),
            *([_entity("Account", FullName="Target", AadUserId="TargetId")] if has_target else []),
            _entity("IP", Address="ActorIp"),
        ],
        "customDetails": {
            "tenantId": "Tenant",
            "actor": "Actor",
            **({"target": "Target"} if has_target else {}),
            "occurredAt": "TimeGenerated",
        },
    }


def elastic_file(name: str) -> dict[str, Any]:
    """The rule as Elastic's repository of detection rules has it."""
    changed = f"{rule(name).date:%Y/%m/%d}"
    return {
        "metadata": {
            "creation_date": changed,
            "integration": ["o365"],
            "maturity": "production",
            "updated_date": changed,
        },
        "rule": {key: value for key, value in elastic_rule(name).items() if key not in {"enabled", "interval"}},
    }


def elastic_rule(name: str) -> dict[str, Any]:
    """The rule as Kibana imports it. Late documents count: its time is when they were ingested."""
    of = rule(name)
    severity = _severity(of)
    return {
        "author": [of.author],
        "description": _described(of),
        "enabled": False,
        "false_positives": list(of.falsepositives),
        "from": "now-9m",
        "index": ["logs-o365.audit-*", "filebeat-*"],
        "interval": "5m",
        "language": "eql",
        "license": "Apache-2.0",
        "name": of.title,
        "references": list(of.references),
        "risk_score": severity.risk_score,
        "rule_id": str(uuid.uuid5(uuid.UUID(str(of.id)), "elastic")),
        "severity": severity.elastic,
        "tags": ["Domain: Cloud", "Data Source: Microsoft 365", "Tactic: Defense Evasion"],
        "threat": [THREAT],
        "timestamp_override": "event.ingested",
        "type": "eql",
        "query": query(name, "elastic"),
    }


def _described(of: SigmaRule) -> str:
    return " ".join((of.description or "").split())


def _severity(of: SigmaRule) -> Severity:
    return SEVERITIES[str(of.level)]


def _entity(kind: str, **columns: str) -> dict[str, Any]:
    fields = [{"identifier": identifier, "columnName": column} for identifier, column in columns.items()]
    return {"entityType": kind, "fieldMappings": fields}


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=2)}\n"

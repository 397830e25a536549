"""What the control plane of the stand-in tenant can set."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sandbox.tenant.account import DOMAIN, TENANT_ID


class Settings(BaseModel):
    """What the control plane can set while the tenant runs. Times are in seconds."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    tenant_id: str = TENANT_ID
    domain: str = DOMAIN
    page_size: int = 3
    """Blobs per page of the feed's listing."""
    exchange_delay_seconds: float = 1.0
    """After a write to Exchange, reads show the old value this long."""
    graph_delay_seconds: float = 0.5
    stale_seconds: float = 10.0
    """How long a read that hits a stale server (fault ``stale_read``) may show the value before the last change."""
    own_record_delay_seconds: float = 0.0
    """How long the audit record of a cmdlet that ran here takes to its blob."""
    sync_cycle_seconds: float = 0.0
    """A directory-synced account that was disabled here is enabled again after this time; 0 means never."""
    start_interval_seconds: float = 900.0
    privileged_role: bool = False
    """The calling application holds Privileged Authentication Administrator, so it may block administrators."""
    event_copies: int = 1
    """How often the topic delivers each event to each subscription."""
    event_delay_seconds: float = 0.0
    event_reorder_seed: int | None = None
    """Events come in another order, drawn from this seed."""
    premium_license: bool = True
    """The tenant has Entra ID P1 or P2: without it, Graph gives neither sign-ins nor risk detections."""
    withheld_cmdlets: tuple[str, ...] = ()
    """Cmdlets that no Exchange role of the worker has."""
    hunting_delay_seconds: float = 20.0
    """After its event a record appears in the table CloudAppEvents."""
    hunting_table: bool = True
    """False: Defender for Cloud Apps is not licensed, or Microsoft 365 not connected: there is no CloudAppEvents."""
    hunting_capitalized: bool = False
    """The names in an answer begin with a capital letter."""
    hunting_raw_as_text: bool = False
    """RawEventData is a text with JSON in it."""
    audit_disabled: bool = False
    unified_audit_log_ingestion_enabled: bool = True

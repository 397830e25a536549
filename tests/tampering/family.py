"""Synthetic records for each row of the family: positive, negative and decoy.

The positive one weakens auditing, the negative one does not, and the decoy only looks as if it did.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from bypass_responder.model.technique import Technique
from tests.sensing.builders import TARGET, Json, a_bypass, named

GROUP = "Mailbox Audit Bypass Responder"
WORKER_ID = "0a0a0a0a-0000-4000-8000-00000000000a"
ALEX = "alex@contoso.onmicrosoft.com"
RESOURCE = "/subscriptions/5d4e2a1c/resourceGroups/soc/providers/Microsoft.KeyVault/vaults/v"
SETTING = f"{RESOURCE}/providers/microsoft.insights/diagnosticSettings/to-sentinel"
SKU = "SkuName={}, AccountId=5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70, SkuId=0000000{}-0000-4000-8000-000000000000"
E5, E3 = SKU.format("DEVELOPERPACK_E5", 5), SKU.format("ENTERPRISEPACK", 3)
OFFICE_E5, TEAMS = SKU.format("ENTERPRISEPREMIUM", 6), SKU.format("Microsoft_Teams_Premium", 7)
PREMIUM = "M365_ADVANCED_AUDITING"


class Fixtures(NamedTuple):
    """Records of one row: what weakens auditing, and two records that do not.

    ``negative``: the same operation, which weakens nothing. ``decoy``: only looks like a weakening.
    """

    positive: Json
    negative: Json
    decoy: Json

    @property
    def failed(self) -> Json:
        """The positive one, refused by the service."""
        return self.positive | {"ResultStatus": "False"}


def ran(operation: str, object_id: str = "", **parameters: Any) -> Json:
    return a_bypass(Operation=operation, ObjectId=object_id, Parameters=named(**parameters))


def in_purview(operation: str, parameters: str, **fields: Any) -> Json:
    where = {"RecordType": 18, "Workload": "SecurityComplianceCenter", "ResultStatus": "Success"}
    return a_bypass(Operation=operation, ObjectId="", Parameters=parameters, **where | fields)


def in_entra(operation: str, **fields: Any) -> Json:
    where = {"RecordType": 8, "Workload": "AzureActiveDirectory", "ResultStatus": "Success", "UserType": 0}
    more = {"Parameters": None, "ModifiedProperties": [], "Target": [{"ID": f"User_{TARGET}"}, {"ID": TARGET}]}
    return a_bypass(Operation=operation, ObjectId=ALEX, **where | more | fields)


def a_license(before: str | list[str], after: str | list[str], *, cut: int = 0, **fields: Any) -> Json:
    """A change of an account's licenses, or of the plans that are disabled in one, as the portal's records have it.

    ``cut``: so many characters are missing at the end of the details.
    """
    old, new = ([f"[{each}]" for each in ([held] if isinstance(held, str) else held)] for held in (before, after))
    updated = json.dumps([{"Name": "AssignedLicense", "OldValue": old, "NewValue": new}, {"Name": "AssignedPlan"}])
    inner = json.dumps({"targetUpdatedProperties": updated})
    details = json.dumps({"id": "e", "seq": "1", "b": inner[: len(inner) - cut], "c": "4"})
    extended = [{"Name": "additionalDetails", "Value": details}]
    return in_entra("Update user.", **{"ExtendedProperties": extended} | fields)


def in_azure(operation: str, **fields: Any) -> Json:
    where = {"RecordType": 0, "Workload": "Azure", "ResultStatus": "Success", "Parameters": None}
    return a_bypass(Operation=operation, ObjectId=SETTING, **where | fields)


FAMILY: dict[Technique, Fixtures] = {
    Technique.ORGANIZATION_OFF: Fixtures(
        positive=ran("Set-OrganizationConfig", "contoso", AuditDisabled="True"),
        negative=ran("Set-OrganizationConfig", "contoso", AuditDisabled="False"),
        decoy=ran("Set-OrganizationConfig", "contoso", DisplayName="-AuditDisabled True"),
    ),
    Technique.UNIFIED_LOG_OFF: Fixtures(
        positive=ran("Set-AdminAuditLogConfig", "Admin Audit Log Settings", UnifiedAuditLogIngestionEnabled="False"),
        negative=ran("Set-AdminAuditLogConfig", "Admin Audit Log Settings", UnifiedAuditLogIngestionEnabled="True"),
        decoy=ran("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", AdminAuditLogEnabled="False"),
    ),
    Technique.RESPONDER_REMOVED: Fixtures(
        positive=ran("Remove-RoleGroup", GROUP, Identity=GROUP),
        negative=ran("Remove-RoleGroup", "Help desk", Identity="Help desk"),
        decoy=ran("Remove-RoleGroup", "Help desk", Identity=f"Help desk, not {GROUP}"),
    ),
    Technique.PRECURSOR: Fixtures(
        positive=ran("New-RoleGroup", "Tools", Name="Tools", Roles="Audit Logs;Journaling", Members=ALEX),
        negative=ran("New-RoleGroup", "Tools", Name="Tools", Roles="View-Only Audit Logs;Journaling", Members=ALEX),
        decoy=ran("New-RoleGroup", "Audit Logs", Name="Audit Logs", Roles="Journaling", Description="Audit Logs"),
    ),
    Technique.ACTION_LIST: Fixtures(
        positive=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditOwner="+ApplyRecord;-Update;-MoveToDeletedItems"),
        negative=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditOwner="+MailItemsAccessed;+Send"),
        decoy=ran("Set-Mailbox", TARGET, Identity=ALEX, CustomAttribute1="AuditOwner -Update"),
    ),
    Technique.RETENTION: Fixtures(
        positive=in_purview("New-UnifiedAuditLogRetentionPolicy", '-Name "short" -RetentionDuration "ThreeMonths"'),
        negative=in_purview("New-UnifiedAuditLogRetentionPolicy", '-Name "long" -RetentionDuration "TenYears"'),
        decoy=in_purview("New-RetentionCompliancePolicy", '-Name "UnifiedAuditLogRetentionPolicy ThreeMonths"'),
    ),
    Technique.LICENSE: Fixtures(
        positive=a_license(f"{E5}, DisabledPlans=[]", f"{E5}, DisabledPlans=[{PREMIUM},ADALLOM_S_O365]"),
        negative=a_license(f"{E5}, DisabledPlans=[{PREMIUM}]", f"{E5}, DisabledPlans=[]"),
        decoy=a_license(f"{E5}, DisabledPlans=[{PREMIUM}]", f"{E5}, DisabledPlans=[{PREMIUM},ADALLOM_S_O365]"),
    ),
    Technique.DIAGNOSTIC_SETTINGS: Fixtures(
        positive=in_azure("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE"),
        negative=in_azure("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE", Properties='{"logs":[{"enabled":true}]}'),
        decoy=in_azure("MICROSOFT.KEYVAULT/VAULTS/DELETE"),
    ),
    Technique.AGE_LIMIT: Fixtures(
        positive=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditLogAgeLimit="1.00:00:00"),
        negative=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditLogAgeLimit="365.00:00:00"),
        decoy=ran("Set-Mailbox", TARGET, Identity=ALEX, RetainDeletedItemsFor="00:00:00", Office="AuditLogAgeLimit"),
    ),
    Technique.AUDIT_ENABLED: Fixtures(
        positive=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditEnabled="False"),
        negative=ran("Set-Mailbox", TARGET, Identity=ALEX, AuditEnabled="True"),
        decoy=ran("Set-Mailbox", TARGET, Identity=ALEX, DisplayName="AuditEnabled False", BypassLiveId="True"),
    ),
}
REMOVED_LICENSE = Fixtures(
    positive=a_license([f"{E5}, DisabledPlans=[]", f"{TEAMS}, DisabledPlans=[]"], [f"{TEAMS}, DisabledPlans=[]"]),
    negative=a_license(f"{E5}, DisabledPlans=[]", f"{OFFICE_E5}, DisabledPlans=[]"),
    decoy=a_license(f"{E3}, DisabledPlans=[]", [], Note=f"{E5}, DisabledPlans=[{PREMIUM}]"),
)
"""The license goes as a whole, and the plan with it."""

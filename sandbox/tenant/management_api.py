"""The Office 365 Management Activity API: subscriptions, listing by contentCreated, content blobs.

Errors carry an AF code; the code, not the HTTP status, identifies them. Throttling (AF429) comes as HTTP 403.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from sandbox.tenant.feed import CONTENT_TYPES, RETRIEVABLE, Blob, Subscription
from sandbox.tenant.identity import MANAGEMENT, claims_for

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.tenant.state import Tenant

DAY = timedelta(hours=24)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_RANGE_RULE = (
    "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours "
    "apart, with the start time no more than 7 days in the past."
)


def af_error(code: str, message: str, status: int = 400) -> Response:
    """An error answer of this API."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _refusal(request: Request, tenant: Tenant) -> Response | None:
    """Why this caller gets nothing, or None."""
    claims = claims_for(request, MANAGEMENT)
    named = request.path_params["tenant"]
    if claims is None:
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    if not _GUID.match(named):
        return af_error("AF20013", f"The tenant ID passed in the URL ({named}) is not a valid GUID.")
    if claims["tid"] != named.lower():
        return af_error(
            "AF20010",
            f"The tenant ID passed in the URL ({named}) does not match the tenant ID passed in the access token "
            f"({claims['tid']}).",
        )
    if named.lower() != tenant.settings.tenant_id:
        return af_error("AF20011", f"Specified tenant ID ({named}) does not exist in the system or has been deleted.")
    if "ActivityFeed.Read" not in claims["roles"]:
        roles = ",".join(claims["roles"])
        text = f"The permission set ({roles}) did not include the expected permission ActivityFeed.Read."
        return af_error("AF10001", text, 403)
    return None


async def subscriptions(request: Request, tenant: Tenant) -> Response:
    """``POST start``, ``POST stop``, ``GET list`` and ``GET content`` under ``subscriptions/``."""
    if refusal := _refusal(request, tenant):
        return refusal
    operation = request.path_params["operation"]
    if operation == "list":
        return JSONResponse([_described(name, given) for name, given in tenant.feed.subscriptions.items()])
    content_type = request.query_params.get("contentType", "")
    if content_type not in CONTENT_TYPES:
        code = "AF20020" if content_type else "AF20001"
        return af_error(code, f"The specified content type is missing or not valid: {content_type}")
    return await _operate(request, tenant, operation, content_type)


async def _operate(request: Request, tenant: Tenant, operation: str, content_type: str) -> Response:
    match request.method, operation:
        case "POST", "start":
            return _start(tenant, content_type, await request.body())
        case "POST", "stop":
            if content_type not in tenant.feed.subscriptions:
                return _no_subscription(content_type)
            tenant.feed.subscribe(content_type, None, now=tenant.clock())
            return Response(status_code=204)
        case "GET", "content":
            return _content(request, tenant, content_type)
    return Response(status_code=404)


def _described(content_type: str, subscription: Subscription) -> dict[str, Any]:
    return {"contentType": content_type, "status": subscription.status, "webhook": subscription.webhook}


def _no_subscription(content_type: str) -> Response:
    return af_error("AF20022", f"No subscription found for the specified content type: {content_type}")


def _start(tenant: Tenant, content_type: str, body: bytes) -> Response:
    now = tenant.clock()
    last = tenant.feed.started_at.get(content_type)
    if last and now < last + timedelta(seconds=tenant.settings.start_interval_seconds):
        return af_error("AF429", "Too many requests. Method=StartSubscription, PublisherId=", 403)
    tenant.feed.started_at[content_type] = now
    webhook = json.loads(body).get("webhook") if body.strip() else None
    subscription = Subscription(webhook=webhook and {"status": "enabled"} | webhook)
    tenant.feed.subscribe(content_type, subscription, now=now)
    return JSONResponse(_described(content_type, subscription))


def _content(request: Request, tenant: Tenant, content_type: str) -> Response:
    subscription = tenant.feed.subscriptions.get(content_type)
    if subscription is None:
        return _no_subscription(content_type)
    if subscription.status != "enabled":
        return af_error("AF20023", f"The subscription was disabled by a tenant admin: {content_type}", 403)
    asked = _asked(request, tenant.clock())
    if isinstance(asked, Response):
        return asked
    shuffle_seed = tenant.faults.shuffle_seed()
    blobs = tenant.feed.listed(
        content_type, start=asked.start, end=asked.end, as_of=asked.as_of, shuffle_seed=shuffle_seed
    )
    last = asked.first + tenant.settings.page_size
    root = f"{str(request.base_url).rstrip('/')}/api/{{}}/{tenant.settings.tenant_id}/activity/feed"
    listed = [_listed(blob, root.format("v1.0")) for blob in blobs[asked.first : last]]
    if asked.first == 0 and listed and tenant.faults.happens("duplicate_blob", "feed.content"):
        listed.append(listed[0])
    if last >= len(blobs):
        return JSONResponse(listed)
    token = quote(asked._replace(first=last).token())
    url = f"{root.format('v1')}/subscriptions/content?contentType={content_type}&nextPage={token}"
    return JSONResponse(listed, headers={"NextPageUri": url})


class _Asked(NamedTuple):
    """What a listing covers. Its pages carry it on, so that they fit together whatever arrives meanwhile."""

    start: datetime
    end: datetime
    as_of: datetime
    first: int = 0

    def token(self) -> str:
        moments = [moment.isoformat() for moment in self[:3]]
        return base64.urlsafe_b64encode(json.dumps([*moments, self.first]).encode()).decode()


def _asked(request: Request, now: datetime) -> _Asked | Response:
    token = request.query_params.get("nextPage")
    if token is None:
        window = _window(request, now)
        return window if isinstance(window, Response) else _Asked(*window, as_of=now)
    try:
        start, end, as_of, first = json.loads(base64.urlsafe_b64decode(token))
        read = datetime.fromisoformat
        return _Asked(read(start), read(end), read(as_of), int(first))
    except (ValueError, TypeError):
        return af_error("AF20031", f"Invalid nextPage Input: {token}.")


def _window(request: Request, now: datetime) -> tuple[datetime, datetime] | Response:
    given = [request.query_params.get(name) for name in ("startTime", "endTime")]
    if given == [None, None]:
        return now - DAY, now
    moments = [_moment(text) for text in given if text]
    if len(moments) != len(given) or None in moments:
        return af_error("AF20030", _RANGE_RULE)
    start, end = (moment for moment in moments if moment)
    if not start < end <= start + DAY:
        return af_error("AF20030", _RANGE_RULE)
    if start < now - RETRIEVABLE:
        return af_error("AF20055", _RANGE_RULE)
    return start, end


def _moment(text: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _listed(blob: Blob, root: str) -> dict[str, str]:
    return {
        "contentType": blob.content_type,
        "contentId": blob.content_id,
        "contentUri": f"{root}/audit/{blob.content_id}",
        "contentCreated": _stamp(blob.created),
        "contentExpiration": _stamp(blob.expires),
    }


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


async def content_blob(request: Request, tenant: Tenant) -> Response:
    """``GET {contentUri}``: the body as published, readable or not."""
    if refusal := _refusal(request, tenant):
        return refusal
    content_id = request.path_params["content_id"]
    blob = tenant.feed.find(content_id)
    if blob is None:
        return af_error("AF20050", f"The specified content ({content_id}) does not exist.", 404)
    if blob.expires <= tenant.clock():
        return af_error("AF20051", f"Content requested with the key {content_id} has already expired.")
    return Response(blob.body, media_type="application/json; charset=utf-8")

"""The Office 365 Management Activity API, content type Audit.Exchange."""

from bypass_responder.adapters.management_activity.client import ManagementActivityFeed

__all__ = ["ManagementActivityFeed"]

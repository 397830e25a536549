"""The posture of a tenant's mailboxes for people: report, check and plan. Offline where the files are given."""

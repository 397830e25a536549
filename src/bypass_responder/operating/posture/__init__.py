"""The posture of a tenant's mailboxes for people: report, check and plan.

They work offline where the files are given.
"""

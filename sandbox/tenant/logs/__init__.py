"""What Microsoft Graph keeps of people and applications.

These are sign-ins, changes, audit records, alerts and mail traces.
"""

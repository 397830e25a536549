"""What Microsoft Graph keeps of people and applications: sign-ins, changes, audit records, alerts, mail traces."""

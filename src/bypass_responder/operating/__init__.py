"""What people ask for: status, timeline, grant, verify, diagnose. Prints nothing; bypassctl and pages call it."""

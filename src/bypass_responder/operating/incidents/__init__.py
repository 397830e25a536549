"""What pages, API and bypassctl show of incidents: a list page, one incident, its lines for a ticket."""

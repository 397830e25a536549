"""What pages, API and bypassctl show of incidents: one page of the list, one incident, its lines for a ticket."""

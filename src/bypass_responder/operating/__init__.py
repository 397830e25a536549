"""Status, timeline, grant, log verification and diagnosis, for bypassctl and the pages."""

"""The report of one incident, as files for auditors and for people who report a breach."""

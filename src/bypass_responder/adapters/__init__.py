"""One file per service: each implements ports, and is the only place that names that service's SDK."""

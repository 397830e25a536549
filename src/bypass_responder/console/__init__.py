"""Pages and JSON for people: an app of its own, which reads the tables and sends what people decide."""

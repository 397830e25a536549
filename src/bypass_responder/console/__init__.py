"""Pages and JSON for people: a separate app, which reads the tables and sends what people decide."""

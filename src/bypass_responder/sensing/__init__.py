"""Facts come in: records, the feed, alerts, the sweep against its baseline."""

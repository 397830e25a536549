"""One run of the hunting sensor: Defender's table of cloud events, as records like those of the feed."""

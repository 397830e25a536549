"""A tenant on a laptop: stand-in services, Azurite, a local function host, attacks and faults.

It is never deployed.
"""

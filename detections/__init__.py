"""The detection pack: Sigma rules, and the queries that are generated from them.

They are generated for Sentinel, Defender XDR, Elastic and Splunk. ``sigma/`` and ``pipelines/`` are the sources,
``fixtures/`` the records that the rules are tried on; the other folders are written by ``make detections``.
docs/detections.md says how to import each.
"""

"""A stand-in for the Microsoft services that the responder calls, on loopback.

It has their quirks and faults.
"""

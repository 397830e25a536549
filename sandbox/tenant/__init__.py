"""A stand-in for the Microsoft services that the responder talks to, on loopback, with their quirks and faults."""

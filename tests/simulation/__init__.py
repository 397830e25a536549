"""Several hosts on one store, under a simulated clock and a seeded scheduler: docs/simulation.md."""

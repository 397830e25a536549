"""Walks through the drill: the lines of docs/drill.md as data, their checks and the report."""

"""Imports of what other tools have kept: read, believed, planned, undone."""

"""Backups of a whole store, written and imported."""

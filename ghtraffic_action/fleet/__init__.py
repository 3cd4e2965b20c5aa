"""Runs in several processes, one per credential: list, collect in batches, export."""

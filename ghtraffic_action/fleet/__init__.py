"""Runs in several processes, one per credential."""

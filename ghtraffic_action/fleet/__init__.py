"""A run in several processes, one for each GitHub credential: list, collect each batch, export once."""

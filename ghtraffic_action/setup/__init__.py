"""Sets up a repository's collection in one go: looks, plans, asks, makes."""

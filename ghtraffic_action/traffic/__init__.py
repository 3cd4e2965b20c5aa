"""The domain: what traffic is, how it merges, how far it is known."""

"""The domain: traffic, its merge rule, its coverage."""

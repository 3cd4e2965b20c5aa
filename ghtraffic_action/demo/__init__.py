"""The demonstration with generated repositories."""

"""The demonstration on a generated repository."""

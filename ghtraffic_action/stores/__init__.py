"""Stores of histories."""

"""Where histories are kept."""

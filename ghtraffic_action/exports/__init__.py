"""The exported files: where they are, what is in them, how they are written."""

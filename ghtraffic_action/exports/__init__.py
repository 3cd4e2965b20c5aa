"""The exported files: where, which, and how they are written."""

"""The export: layout, rows and writing of its files."""

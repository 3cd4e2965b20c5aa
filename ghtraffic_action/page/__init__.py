"""The report page: its data, a line per repository, and its HTML file."""

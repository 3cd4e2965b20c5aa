"""The report page: its data and its HTML file."""

"""The report page: its data, a line per repository, and the one HTML file that shows them."""

"""The operator as one process: its components, the order of its start, and a view for the page."""

"""A real browser for the status page, and what judges whether everybody can use it."""

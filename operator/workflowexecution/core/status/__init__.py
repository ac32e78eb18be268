"""From an outcome to the status that reports it, and the patch that writes it."""

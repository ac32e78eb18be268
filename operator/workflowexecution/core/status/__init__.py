"""From an outcome to the status that reports it, and to the patch that writes it."""

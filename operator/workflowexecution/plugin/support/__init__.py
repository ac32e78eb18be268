"""The parts of a support bundle: what is read, what is kept of it, and the archive."""

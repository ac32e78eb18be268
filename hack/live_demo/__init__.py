"""The story of `make demo`: what the operator does, shown on a real cluster while it does it."""

"""Slim, immutable records of what decisions are made from, parsed from API objects."""

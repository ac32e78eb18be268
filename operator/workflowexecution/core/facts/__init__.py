"""The facts for decisions: slim, immutable records, parsed from API objects."""

"""What a release consists of, made from this checkout; the same bytes each time."""

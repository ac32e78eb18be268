"""The files of a release, made from this checkout; the same bytes each time."""

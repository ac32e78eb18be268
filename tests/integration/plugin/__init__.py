"""A package, so that what its tests share is closed before the next folder begins."""

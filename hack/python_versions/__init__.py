"""The Python versions that all of this is for, and an environment for tests on each of them."""

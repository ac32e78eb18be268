"""The operator as one process: put together once, started in order, and looked at."""

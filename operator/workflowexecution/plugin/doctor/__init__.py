"""The checks of ``doctor``, one topic a module: each reads the cluster and returns findings."""

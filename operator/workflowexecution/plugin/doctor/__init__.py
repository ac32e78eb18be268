"""The checks of ``doctor``, one module per topic: each reads the cluster and returns findings."""

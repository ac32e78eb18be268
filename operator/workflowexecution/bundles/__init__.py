"""Remediation bundles: their folders, what is expected of them, and how they get into a registry.

Knows nothing of a cluster and is not part of the running operator. The command line calls it.
"""

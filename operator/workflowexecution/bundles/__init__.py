"""Remediation bundles: reads their folders, checks them, and pushes them to a registry.

The command line uses this package. It needs no cluster, and the running operator does not use it.
"""

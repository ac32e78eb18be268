"""Operator that launches remediation workflows on Kubernetes, one run per target."""

__version__ = "0.1.0"

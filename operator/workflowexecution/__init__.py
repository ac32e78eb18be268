"""Operator that launches remediation workflows on Kubernetes, one run per target."""

from importlib.metadata import version

__version__ = version("workflowexecution-operator")

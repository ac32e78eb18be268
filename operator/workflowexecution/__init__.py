"""Operator that launches remediation workflows on Kubernetes, one run per target."""

__version__: str


def __getattr__(name: str) -> str:
    """The version, read when it is first asked for: what reads it takes long to load."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("workflowexecution-operator")

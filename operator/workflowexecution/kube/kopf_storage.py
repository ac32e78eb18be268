"""Storages that store nothing: kopf keeps no state of its own in our objects, and copies none."""

# ruff: noqa: D102 (what each method does is said where kopf declares it)

from typing import Any

from workflowexecution.kube.kopf_slim import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """No last-handled state: kopf's own deep-copies every object it is told of."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """No handler progress: nothing we register has any."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence

    def flush(self) -> None:
        return None

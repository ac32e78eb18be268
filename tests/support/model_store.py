"""The objects of the model's API server, and the history of their changes."""

from datetime import datetime, timedelta
from typing import Any, Final

from builders import NOW
from workflowexecution.core import names
from workflowexecution.core.facts.decoding import succeeded_condition
from workflowexecution.kube import errors

COOLDOWN: Final = timedelta(minutes=5)
# The API server tells its time in whole seconds.
CLOCK_ERROR: Final = timedelta(seconds=3)
STEP: Final = timedelta(seconds=1)
EXECUTIONS: Final = "executions"
RUNS: Final = "runs"
Raw = dict[str, Any]


def clone(value: Any) -> Any:
    """A copy of a JSON value that shares nothing with it."""
    kind = type(value)
    if kind is dict:
        return {key: clone(item) for key, item in value.items()}
    return [clone(item) for item in value] if kind is list else value


def path_of(raw: Raw) -> str:
    """The key of an object: its namespace and name."""
    return f"{raw['metadata']['namespace']}/{raw['metadata']['name']}"


def uid_of(raw: Raw) -> str:
    return str(raw["metadata"]["uid"])


def object_of(target: str) -> str:
    """The object that a target names; all names in the model are in lower case."""
    return target.lower()


def target_of(run: Raw) -> str:
    """The object a run works on."""
    return object_of(str(run["metadata"]["annotations"][names.KEY_TARGET]))


def owner_of(run: Raw) -> str:
    """UID of the execution a run was made for."""
    return str(run["metadata"]["annotations"][names.KEY_EXECUTION_UID])


def succeeded(run: Raw) -> str:
    """The status of a run's condition."""
    return succeeded_condition(run)[0] or "Unknown"


def is_alive(run: Raw) -> bool:
    """Whether Tekton may start something for a run; for one that is being deleted it does not."""
    return succeeded(run) == "Unknown" and "deletionTimestamp" not in run["metadata"]


class Store:
    """Objects by kind and path; every change is kept as a watch event."""

    def __init__(self) -> None:
        self.now: datetime = NOW
        self.objects: dict[str, dict[str, Raw]] = {EXECUTIONS: {}, RUNS: {}}
        self.history: dict[str, list[tuple[str, Raw]]] = {EXECUTIONS: [], RUNS: []}
        self.version = 0

    def seconds(self) -> float:
        """Seconds since the model began."""
        return (self.now - NOW).total_seconds()

    def get(self, kind: str, path: str) -> Raw:
        found = self.objects[kind].get(path)
        if found is None:
            name = path.rpartition("/")[2]
            raise errors.NotFoundError(f"{path} not found", status=404, name=name)
        copied: Raw = clone(found)
        return copied

    def all(self, kind: str, namespace: str = "") -> list[Raw]:
        """All of a kind, or those of one namespace."""
        return [
            clone(raw)
            for raw in self.objects[kind].values()
            if namespace in ("", raw["metadata"]["namespace"])
        ]

    def put(self, kind: str, raw: Raw, event: str = "MODIFIED") -> Raw:
        self.version += 1
        raw["metadata"]["resourceVersion"] = str(self.version)
        self.objects[kind][path_of(raw)] = raw
        self.history[kind].append((event, raw))
        copied: Raw = clone(raw)
        return copied

    def drop(self, kind: str, raw: Raw) -> Raw:
        dropped = self.put(kind, clone(raw), "DELETED")
        del self.objects[kind][path_of(raw)]
        return dropped

    def of_uid(self, kind: str, path: str, uid: str) -> Raw:
        raw = self.get(kind, path)
        if uid_of(raw) != uid:
            raise errors.ConflictError("another object has this name", status=409)
        return raw

    def of_version(self, kind: str, path: str, version: str) -> Raw:
        raw = self.get(kind, path)
        if raw["metadata"]["resourceVersion"] != version:
            raise errors.ConflictError("the object has changed", status=409)
        return raw

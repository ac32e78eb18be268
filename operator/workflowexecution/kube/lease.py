"""One Lease: read and written with the version that was seen, so that only one write succeeds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.client import ApiClient

_API: Final = "coordination.k8s.io/v1"
# How long a leader that is silent keeps the Lease; another one takes it after that.
LEASE_DURATION: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """A Lease as the API server holds it; ``holder`` is empty where it was released."""

    holder: str
    duration: timedelta
    version: str
    transitions: int


class LeaseStore:
    """The Lease of one namespace and name."""

    def __init__(self, client: ApiClient, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/{_API}/namespaces/{quote(namespace)}/leases"
        self._acquired_at = ""

    async def read(self) -> LeaseRecord | None:
        """Read it; None where there is none. Raises: ApiError."""
        try:
            return _parse(await self._client.request("GET", f"{self._path}/{quote(self._name)}"))
        except errors.NotFoundError:
            return None

    async def acquire(self, seen: LeaseRecord | None, holder: str, now: datetime) -> LeaseRecord:
        """Take it, creating it where there is none.

        Raises: ConflictError or AlreadyExistsError where another was first; other ApiErrors.
        """
        self._acquired_at = _micro_time(now)
        transitions = seen.transitions + 1 if seen else 0
        return await self._write(seen, holder, now, transitions)

    async def renew(self, seen: LeaseRecord, now: datetime) -> LeaseRecord:
        """Say that its holder is still there. Raises: ConflictError; other ApiErrors."""
        return await self._write(seen, seen.holder, now, seen.transitions)

    async def release(self, seen: LeaseRecord, now: datetime) -> None:
        """Let it go, so that nobody waits for it to expire. Raises: ApiError."""
        await self._write(seen, "", now, seen.transitions)

    async def _write(
        self, seen: LeaseRecord | None, holder: str, now: datetime, transitions: int
    ) -> LeaseRecord:
        body = {
            "apiVersion": _API,
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": int(LEASE_DURATION.total_seconds()),
                "acquireTime": self._acquired_at or _micro_time(now),
                "renewTime": _micro_time(now),
                "leaseTransitions": transitions,
            },
        }
        if seen is None:
            return _parse(await self._client.request("POST", self._path, body=body))
        body["metadata"]["resourceVersion"] = seen.version  # type: ignore[index]
        path = f"{self._path}/{quote(self._name)}"
        return _parse(await self._client.request("PUT", path, body=body))


def _parse(raw: dict[str, Any]) -> LeaseRecord:
    spec = reading.mapping(raw, "spec")
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    return LeaseRecord(
        holder=reading.text(spec, "holderIdentity"),
        duration=timedelta(seconds=seconds) if isinstance(seconds, int) else LEASE_DURATION,
        version=reading.text(raw, "metadata", "resourceVersion"),
        transitions=transitions if isinstance(transitions, int) else 0,
    )


def _micro_time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Leader election by a Lease: acquire it, renew it, release it.

The Lease is written with the version that was seen, so that only one of two writes succeeds.
Leading only keeps two operators from doing the same work twice. That no target has two runs never
rests on it: a leader may be paused, and go on after its Lease was taken.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

import structlog

from workflowexecution.api import reading
from workflowexecution.kube import errors
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import Clock

_API: Final = "coordination.k8s.io/v1"
# How long a leader that is silent keeps the Lease; another one takes it after that.
LEASE_DURATION: Final = timedelta(seconds=15)
# A leader that could not renew for so long stops: before a Lease may be taken, which is later.
RENEW_DEADLINE: Final = timedelta(seconds=10)
# A Lease that is released is taken within this time.
_POLL_S: Final = 1.0
_RENEW_S: Final = 3.0
# A request that hangs must leave time for another one before the deadline.
_REQUEST_S: Final = 3.0


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


class LeaseStep(StrEnum):
    """The next step of a candidate."""

    CREATE = "Create"
    TAKE = "Take"
    RENEW = "Renew"
    WAIT = "Wait"


def decide_lease(record: LeaseRecord | None, identity: str, unchanged_for: timedelta) -> LeaseStep:
    """Decide on the next step of the candidate ``identity``.

    ``unchanged_for`` is measured by the candidate's own clock, since it first read this version:
    the times in a Lease are those of another machine.
    """
    if record is None:
        return LeaseStep.CREATE
    if record.holder == identity:
        return LeaseStep.RENEW
    if not record.holder or unchanged_for >= record.duration:
        return LeaseStep.TAKE
    return LeaseStep.WAIT


class Leadership:
    """One candidate for one Lease; ``identity`` must be this process's alone."""

    def __init__(self, store: LeaseStore, identity: str, clock: Clock) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock
        self._seen: LeaseRecord | None = None
        self._seen_since = 0.0
        self._renewed_at: float | None = None
        self._log = structlog.get_logger("leadership").bind(identity=identity)

    @property
    def identity(self) -> str:
        """Name of this candidate."""
        return self._identity

    @property
    def leader(self) -> str:
        """Name of the candidate that held the Lease when it was last read; empty for none."""
        return self._seen.holder if self._seen else ""

    async def acquire(self) -> None:
        """Wait until this process leads; an API server that does not answer is asked again."""
        named = None
        while not await self._attempt():
            holder = self._seen.holder if self._seen else ""
            if holder and holder != named:
                self._log.info("standing by", leader=holder)
                named = holder
            await asyncio.sleep(_POLL_S)
        self._log.info("leading")

    async def keep(self, unhealthy: Callable[[], str]) -> str:
        """Renew for as long as the process is healthy.

        Returns: why leadership is lost.
        """
        problem = "the Lease could not be renewed in time"
        while self._since_renewal() < RENEW_DEADLINE:
            await asyncio.sleep(_RENEW_S if not problem else _POLL_S)
            # A process that was paused finds its deadline passed, and must not renew.
            if self._since_renewal() >= RENEW_DEADLINE:
                break
            problem = unhealthy() or await self._renew()
            if self._seen and self._seen.holder not in ("", self._identity):
                return f"the Lease was taken by {self._seen.holder}"
        return problem or "the process was paused for too long"

    async def release(self) -> None:
        """Let another process lead at once, where this one does."""
        if self._renewed_at is None or self._seen is None or self._seen.holder != self._identity:
            return
        self._renewed_at = None
        with contextlib.suppress(errors.ApiError, TimeoutError):
            async with asyncio.timeout(_REQUEST_S):
                await self._store.release(self._seen, self._clock.now())
            self._log.info("leadership released")

    async def _attempt(self) -> bool:
        """Try once to take the Lease."""
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_REQUEST_S):
                self._observe(await self._store.read())
                unchanged_for = timedelta(seconds=self._clock.monotonic() - self._seen_since)
                if decide_lease(self._seen, self._identity, unchanged_for) is LeaseStep.WAIT:
                    return False
                now = self._clock.now()
                self._observe(await self._store.acquire(self._seen, self._identity, now))
        except (errors.ConflictError, errors.AlreadyExistsError):
            return False
        except (errors.ApiError, TimeoutError) as error:
            self._log.warning("the Lease cannot be had", error=str(error) or "no answer in time")
            return False
        self._renewed_at = asked_at
        return True

    async def _renew(self) -> str:
        """Try once to renew; what is wrong, empty where it was renewed."""
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_REQUEST_S):
                if self._seen is None or self._seen.holder != self._identity:
                    self._observe(await self._store.read())
                if decide_lease(self._seen, self._identity, timedelta()) is not LeaseStep.RENEW:
                    return "the Lease is not held any more"
                assert self._seen is not None
                self._observe(await self._store.renew(self._seen, self._clock.now()))
        except errors.ConflictError:
            # Somebody else has written it, or our own reply was lost: who holds it is read next.
            self._seen = None
            return "the Lease was changed by somebody else"
        except (errors.ApiError, TimeoutError) as error:
            self._seen = None
            return str(error) or "no answer in time"
        self._renewed_at = asked_at
        return ""

    def _observe(self, record: LeaseRecord | None) -> None:
        if record is None or self._seen is None or record.version != self._seen.version:
            self._seen_since = self._clock.monotonic()
        self._seen = record

    def _since_renewal(self) -> timedelta:
        renewed_at = self._renewed_at if self._renewed_at is not None else float("-inf")
        return timedelta(seconds=min(self._clock.monotonic() - renewed_at, 1e6))

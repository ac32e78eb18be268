"""A bounded cache of the newest executions, kept while somebody looks.

One list fills it, and events of the watches keep it up to date. No namespace can push out another:
where there are too many executions, each namespace keeps fewer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog

from workflowexecution.api import reading
from workflowexecution.cache.history import Tombstones, is_older
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.kube import errors
from workflowexecution.views.executions import reason_of

PER_NAMESPACE: Final = 100
MOST: Final = 1000
# The caches are trimmed when they exceed a bound by so much, not at each event.
_SLACK: Final = 1.25
_BLOCKERS: Final = ("conflictingWorkflow", "recentRemediation")
IDLE_S: Final = 300.0
# The list is read again after so long, because deletions leave gaps.
RENEW_S: Final = 600.0
_RETRY_S: Final = 5.0
_NEVER: Final = float("-inf")


class Recent:
    """A cache of the newest executions of each namespace, by UID.

    is_complete: whether the whole list has been read.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self._by_namespace: dict[str, dict[str, Execution]] = {}
        self._cut: set[str] = set()
        self._gone = Tombstones()
        self._share = PER_NAMESPACE
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def take_in(self, seen: Execution) -> None:
        """Keep an execution, unless a newer version of it is kept or it is gone."""
        if self._gone.knows(seen.uid):
            return
        kept = self._by_namespace.setdefault(seen.namespace, {})
        known = kept.get(seen.uid)
        if known is not None and is_older(seen.resource_version, known.resource_version):
            return
        kept[seen.uid] = slim(seen)
        self._count += known is None
        if len(kept) > self._share * _SLACK:
            self._trim(seen.namespace)
        if self._count > MOST * _SLACK:
            self._trim_all()

    def drop(self, namespace: str, uid: str) -> None:
        """Remove a deleted execution, and ignore it in a list that began earlier."""
        self._gone.note(uid, "")
        kept = self._by_namespace.get(namespace, {})
        if kept.pop(uid, None) is not None:
            self._count -= 1
        if not kept:
            self._by_namespace.pop(namespace, None)

    def namespaces(self) -> set[str]:
        """The namespaces of the cached executions."""
        return set(self._by_namespace)

    def executions(self, namespaces: Iterable[str]) -> list[Execution]:
        """The cached executions of some namespaces, in no order."""
        return [item for name in namespaces for item in self._by_namespace.get(name, {}).values()]

    def has_older(self, namespaces: Iterable[str]) -> bool:
        """Whether older executions of these namespaces were dropped."""
        return not self._cut.isdisjoint(namespaces)

    def _trim_all(self) -> None:
        while self._count > MOST and self._share > 1:
            self._share //= 2
            for namespace in list(self._by_namespace):
                self._trim(namespace)
        while self._count > MOST:
            # There are too many namespaces: drop those without a recent execution first.
            longest = min(self._by_namespace, key=self._newest_in)
            self._count -= len(self._by_namespace.pop(longest))
            self._cut.add(longest)

    def _newest_in(self, namespace: str) -> datetime:
        return max(map(_created_at, self._by_namespace[namespace].values()))

    def _trim(self, namespace: str) -> None:
        kept = self._by_namespace[namespace]
        extra = len(kept) - self._share
        if extra <= 0:
            return
        for item in sorted(kept.values(), key=_created_at)[:extra]:
            del kept[item.uid]
        self._count -= extra
        self._cut.add(namespace)


def slim(execution: Execution) -> Execution:
    """An execution with only the fields that a list shows: no parameters, no messages."""
    raw = execution.raw
    meta, status = reading.mapping(raw, "metadata"), reading.mapping(raw, "status")
    reason = reason_of(execution)
    reasons = [{"type": "Succeeded", "reason": reason}] if reason else []
    small = {
        "metadata": {"creationTimestamp": reading.text(meta, "creationTimestamp")},
        "status": {
            "conditions": reasons,
            "duration": reading.text(status, "duration"),
            "skipDetails": _slim_skip(reading.mapping(status, "skipDetails")),
        },
    }
    return replace(execution, raw=small)


def _slim_skip(details: reading.Raw) -> dict[str, Any]:
    return {
        key: {name: reading.text(blocker, name) for name in ("namespace", "name")}
        for key in _BLOCKERS
        if (blocker := reading.mapping(details, key))
    }


def _created_at(execution: Execution) -> datetime:
    return datetime.fromisoformat(execution.raw["metadata"]["creationTimestamp"])


class Keeper:
    """Fills a Recent from one list when somebody looks, and updates it with each event.

    ``fill`` reads all executions into a Recent and raises ApiError; ``notify`` is called after
    each change.
    """

    def __init__(
        self,
        fill: Callable[[Recent], Awaitable[None]],
        notify: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fill = fill
        self._notify = notify
        self._monotonic = monotonic
        self._shown: Recent | None = None
        self._fresh: Recent | None = None
        self._filling: asyncio.Task[None] | None = None
        self._looked_at = self._filled_at = _NEVER
        self._log = structlog.get_logger("page")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is cached."""
        return self._shown is None

    def look(self) -> Recent:
        """The cache as it is; where it is missing or old, a task reads it in the background."""
        now = self._looked_at = self._monotonic()
        if now - self._filled_at >= RENEW_S and self._fresh is None:
            self._filled_at, self._fresh = now, Recent()
            self._filling = asyncio.create_task(self._read(self._fresh), name="page list")
        if self._shown is None:
            self._shown = self._fresh or Recent()
        return self._shown

    def heard_of_execution(self, event_type: str, raw: dict[str, Any]) -> None:
        """Apply an event of an execution; never raises."""
        kept = {id(one): one for one in (self._shown, self._fresh) if one is not None}
        if not kept:
            return
        # The operator gets the same event, and reports an execution that is not valid.
        with suppress(LookupError, TypeError, ValueError):
            seen = parse_execution(raw)
            for recent in kept.values():
                if event_type == "DELETED":
                    recent.drop(seen.namespace, seen.uid)
                else:
                    recent.take_in(seen)
        self._notify()

    def heard_of_run(self) -> None:
        """Note that a run has changed."""
        if self._shown is not None:
            self._notify()

    def missed(self) -> None:
        """Note that events may have been missed: the next visitor has the list read again."""
        self._filled_at = _NEVER

    def forget_if_idle(self) -> None:
        """Drop everything if nobody has looked for ``IDLE_S``."""
        if self._monotonic() - self._looked_at >= IDLE_S and self._fresh is None:
            self._shown, self._filled_at = None, _NEVER

    async def close(self) -> None:
        """Stop reading."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)

    async def _read(self, fresh: Recent) -> None:
        try:
            await self._fill(fresh)
            self._shown = fresh
        except errors.ApiError as error:
            self._log.warning("executions could not be read for the page", error=str(error))
            self._filled_at = self._monotonic() - RENEW_S + _RETRY_S
        finally:
            self._fresh = None
        self._notify()

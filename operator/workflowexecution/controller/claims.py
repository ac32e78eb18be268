"""Claims of namespaces: one installation serves a namespace, until a person deletes its claim.

Two operators with different execution namespaces do not see each other's runs, and both would
launch an execution that both serve. So an installation creates a WorkflowClaim before its first
launch from a namespace; the API server refuses a second create. A claim is not renewed. It is valid
for every operator with the same execution namespace, and for no other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import structlog

from workflowexecution.api import reading
from workflowexecution.cache.history import is_older
from workflowexecution.client.cluster import Cluster, Raw
from workflowexecution.core.policy import Other, Policy, asked_for, deciding_on, others_among
from workflowexecution.kube import errors


class Claims:
    """All claims in the cluster, updated by a watch, by each relist and by answers to requests.

    on_change: called when another installation gets a namespace, or when one is free again.
    """

    def __init__(self, cluster: Cluster, policy: Policy, on_change: Callable[[], None]) -> None:
        self._cluster = cluster
        self._watched = policy.watch_namespaces
        self._ours = policy.template.namespace
        self._on_change = on_change
        self._asked = asked_for(self._watched)
        self._holders: dict[str, str] = {}
        # Nearly always false, and read for every event.
        self._are_there_others = False
        # Namespaces where all claims that count are ours; cleared by each change of a claim.
        self._taken: set[str] = set()
        self._versions: dict[str, str] = {}
        # A counter value for each claim's last change: an answer may be older than a watch event.
        self._changed_at: dict[str, int] = {}
        self._changes = 0
        self._creating = asyncio.Lock()
        self._is_open = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("claims")

    def is_left(self, namespace: str) -> bool:
        """Whether another installation serves the executions of a namespace."""
        return self._are_there_others and bool(self._others(deciding_on(namespace, self._watched)))

    async def take(self, namespace: str) -> bool:
        """Claim a namespace if it is free; returns whether it belongs to this installation.

        Raises: ApiError where there is no answer.
        """
        if namespace in self._taken:
            return True
        for name in deciding_on(namespace, self._watched):
            if self.is_left(namespace):
                return False
            await self._claim(name)
            if name not in self._holders:
                raise errors.UnavailableError(f"the claim of namespace {name} came and went")
        is_ours = not self.is_left(namespace)
        if is_ours:
            self._taken.add(namespace)
        return is_ours

    def open(self) -> None:
        """Begin with the namespaces in the settings: a second installation then sees the claims."""
        self._is_open = True
        self._claim_soon(self._asked)

    async def close(self) -> None:
        """Create no more claims."""
        self._is_open = False
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def problem(self) -> str:
        """The reason why namespaces in the settings are not served here; empty where all are."""
        others = self._others(self._asked)
        listed = "; ".join(map(str, others))
        return f"executions are left alone in {listed}" if others else ""

    def count_left(self) -> int:
        """Number of namespaces that would be served here but are claimed by other installations."""
        return len(self._others(self._holders))

    def on_event(self, event_type: str, raw: Raw) -> None:
        """Take in one event of a claim; never raises."""
        try:
            name, version = raw["metadata"]["namespace"], raw["metadata"]["resourceVersion"]
            if not is_older(version, self._versions.get(name, "")):
                self._note(name, None if event_type == "DELETED" else raw, self._on_change)
        except Exception as error:
            # One malformed object must not stop the events of all others.
            self._log.error("event not understood", exc_info=error)

    async def relist(self) -> None:
        """List all claims, before executions are; where it raises ApiError, nothing changes."""
        began = self._changes
        found = await _by_namespace(self._cluster.list_claims())
        gone = dict.fromkeys(self._holders.keys() - found.keys())
        for name, raw in {**gone, **found}.items():
            self._note_answer(began, name, raw, _do_nothing)
        self._changed_at = {name: at for name, at in self._changed_at.items() if at > began}

    async def _claim(self, namespace: str) -> None:
        async with self._creating:
            if namespace in self._holders:
                return
            began = self._changes
            raw: Raw | None
            try:
                raw = await self._cluster.create_claim(namespace)
            except errors.AlreadyExistsError:
                found = await _by_namespace(self._cluster.list_claims([namespace]))
                raw = found.get(namespace)
            self._note_answer(began, namespace, raw, self._on_change)

    def _claim_soon(self, namespaces: Iterable[str]) -> None:
        task = asyncio.create_task(self._claim_each(namespaces))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _claim_each(self, namespaces: Iterable[str]) -> None:
        for name in namespaces:
            try:
                await self._claim(name)
            except errors.ApiError as error:
                # A launch from there claims it first; without a claim nothing is launched.
                self._log.warning("not claimed yet", namespace=name, error=str(error))

    def _note_answer(
        self, began: int, namespace: str, raw: Raw | None, on_change: Callable[[], None]
    ) -> None:
        """Note an answer, unless a watch has reported this claim since the request was sent."""
        if self._changed_at.get(namespace, 0) <= began:
            self._note(namespace, raw, on_change)

    def _note(self, namespace: str, raw: Raw | None, on_change: Callable[[], None]) -> None:
        """Note the claim of a namespace; None where there is none."""
        self._changes += 1
        self._taken.clear()
        self._changed_at[namespace] = self._changes
        before = self._holders.pop(namespace, None)
        self._versions.pop(namespace, None)
        if raw is not None:
            self._holders[namespace] = _holder_of(raw)
            self._versions[namespace] = raw["metadata"]["resourceVersion"]
        after = self._holders.get(namespace)
        self._are_there_others = any(one != self._ours for one in self._holders.values())
        if after != before:
            self._log_change(namespace, before, after)
        if (after in (None, self._ours)) != (before in (None, self._ours)):
            on_change()
        elif after is None and namespace in self._asked and self._is_open:
            self._claim_soon([namespace])

    def _log_change(self, namespace: str, before: str | None, after: str | None) -> None:
        about = self._log.bind(namespace=namespace, execution_namespace=after or before)
        if after not in (None, self._ours):
            # An installation for all namespaces may leave some to others: that is no error.
            log = about.error if namespace in self._asked else about.warning
            log("claimed by another installation: executions there are left alone")
        elif after is not None:
            about.info("claimed")
        else:
            about.info("not claimed any more")

    def _others(self, namespaces: Iterable[str]) -> list[Other]:
        return others_among(namespaces, self._holders, self._ours)


def _holder_of(raw: Raw) -> str:
    """The execution namespace in a claim; without one, the claim is not of this installation."""
    return reading.text(raw, "spec", "executionNamespace") or "an unknown place"


def _do_nothing() -> None:
    """For a relist of claims: it needs no callback, because executions are listed next."""


async def _by_namespace(listed: AsyncIterator[Raw]) -> dict[str, Raw]:
    return {raw["metadata"]["namespace"]: raw async for raw in listed}

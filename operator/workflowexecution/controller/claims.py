"""Which namespaces this installation serves: each is claimed by one installation, for good.

Two operators with different execution namespaces do not see each other's runs, and each would
launch what both serve. A WorkflowClaim is created before the first launch from a namespace, and of
two who create it the API server refuses one. It is not renewed: whoever has the same execution
namespace goes on with it, and nobody else does until a person deletes it.
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
    """All claims there are; kept by a watch, by each resync and by what is answered.

    ``on_change`` is called when executions are left to others, or are to be served again.
    """

    def __init__(self, cluster: Cluster, policy: Policy, on_change: Callable[[], None]) -> None:
        self._cluster = cluster
        self._watched = policy.watch_namespaces
        self._ours = policy.template.namespace
        self._on_change = on_change
        self._asked = asked_for(self._watched)
        self._holders: dict[str, str] = {}
        # Nearly always there is nobody else, and this is asked for every event.
        self._are_there_others = False
        # Namespaces of which all claims that decide are ours, until a claim is heard of.
        self._taken: set[str] = set()
        self._versions: dict[str, str] = {}
        # When each was last heard of: an answer may be older than what a watch has told meanwhile.
        self._heard: dict[str, int] = {}
        self._hearings = 0
        self._creating = asyncio.Lock()
        self._is_open = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("claims")

    def is_left(self, namespace: str) -> bool:
        """Whether executions of a namespace are left to another installation."""
        return self._are_there_others and bool(self._others(deciding_on(namespace, self._watched)))

    async def take(self, namespace: str) -> bool:
        """Claim a namespace where nobody has; say whether it is this installation's.

        Raises: ApiError where the cluster gives no answer.
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
        """Begin to claim: what was asked for at once, so that whoever comes second learns of it."""
        self._is_open = True
        self._claim_soon(self._asked)

    async def close(self) -> None:
        """Claim nothing more."""
        self._is_open = False
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def problem(self) -> str:
        """Why what was asked for is not served here; empty where it is."""
        others = self._others(self._asked)
        told = "; ".join(map(str, others))
        return f"executions are left alone in {told}" if others else ""

    def count_left(self) -> int:
        """Number of namespaces that another installation has claimed of what is served here."""
        return len(self._others(self._holders))

    def on_event(self, event_type: str, raw: Raw) -> None:
        """Take in one event of a claim; never raises."""
        try:
            name, version = raw["metadata"]["namespace"], raw["metadata"]["resourceVersion"]
            if not is_older(version, self._versions.get(name, "")):
                self._hear(name, None if event_type == "DELETED" else raw, self._on_change)
        except Exception as error:
            # One object nobody foresaw must not cost the events of all others.
            self._log.error("event not understood", exc_info=error)

    async def relist(self) -> None:
        """List all claims, before executions are; raises ApiError, and then nothing has changed."""
        began = self._hearings
        found = await _by_namespace(self._cluster.list_claims())
        gone = dict.fromkeys(self._holders.keys() - found.keys())
        for name, raw in {**gone, **found}.items():
            self._hear_since(began, name, raw, _do_nothing)
        self._heard = {name: at for name, at in self._heard.items() if at > began}

    async def _claim(self, namespace: str) -> None:
        async with self._creating:
            if namespace in self._holders:
                return
            began = self._hearings
            raw: Raw | None
            try:
                raw = await self._cluster.create_claim(namespace)
            except errors.AlreadyExistsError:
                found = await _by_namespace(self._cluster.list_claims([namespace]))
                raw = found.get(namespace)
            self._hear_since(began, namespace, raw, self._on_change)

    def _claim_soon(self, namespaces: Iterable[str]) -> None:
        task = asyncio.create_task(self._claim_each(namespaces))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _claim_each(self, namespaces: Iterable[str]) -> None:
        for name in namespaces:
            try:
                await self._claim(name)
            except errors.ApiError as error:
                # It is claimed before something is launched from there, or nothing is.
                self._log.warning("not claimed yet", namespace=name, error=str(error))

    def _hear_since(
        self, began: int, namespace: str, raw: Raw | None, on_change: Callable[[], None]
    ) -> None:
        """Note what was answered, unless a watch has told of this claim since it was asked."""
        if self._heard.get(namespace, 0) <= began:
            self._hear(namespace, raw, on_change)

    def _hear(self, namespace: str, raw: Raw | None, on_change: Callable[[], None]) -> None:
        """Note who has claimed a namespace; None for nobody."""
        self._hearings += 1
        self._taken.clear()
        self._heard[namespace] = self._hearings
        before = self._holders.pop(namespace, None)
        self._versions.pop(namespace, None)
        if raw is not None:
            self._holders[namespace] = _holder_of(raw)
            self._versions[namespace] = raw["metadata"]["resourceVersion"]
        after = self._holders.get(namespace)
        self._are_there_others = any(one != self._ours for one in self._holders.values())
        if after != before:
            self._tell(namespace, before, after)
        if (after in (None, self._ours)) != (before in (None, self._ours)):
            on_change()
        elif after is None and namespace in self._asked and self._is_open:
            self._claim_soon([namespace])

    def _tell(self, namespace: str, before: str | None, after: str | None) -> None:
        about = self._log.bind(namespace=namespace, execution_namespace=after or before)
        if after not in (None, self._ours):
            # Who is to serve all namespaces may well leave some to others.
            tell = about.error if namespace in self._asked else about.warning
            tell("claimed by another installation: executions there are left alone")
        elif after is not None:
            about.info("claimed")
        else:
            about.info("not claimed any more")

    def _others(self, namespaces: Iterable[str]) -> list[Other]:
        return others_among(namespaces, self._holders, self._ours)


def _holder_of(raw: Raw) -> str:
    """The execution namespace of a claim; one that cannot be told is nobody's here."""
    return reading.text(reading.mapping(raw, "spec"), "executionNamespace") or "an unknown place"


def _do_nothing() -> None:
    """The executions are listed next."""


async def _by_namespace(listed: AsyncIterator[Raw]) -> dict[str, Raw]:
    return {raw["metadata"]["namespace"]: raw async for raw in listed}

"""All watches of one operator, and whether what they tell can be relied on."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workflowexecution.cache.policy import Policy
from workflowexecution.client.paths import claim_paths, execution_paths, holds_path, runs_path
from workflowexecution.controller.claims import Claims
from workflowexecution.controller.holds import Holds
from workflowexecution.core.facts.execution_shape import EventOfExecution
from workflowexecution.core.facts.run_shape import EventOfRun
from workflowexecution.kube.change_stream import ChangeStream
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.decoding import decode_only
from workflowexecution.manager.view import EventListener


def watch_count(policy: Policy) -> int:
    """How many watches there will be; each keeps a connection to itself."""
    return 2 * len(execution_paths(policy.watch_namespaces)) + 2


class Watches:
    """The watches of executions and runs, which ``listeners`` hear of, of holds and of claims."""

    def __init__(
        self,
        client: ApiClient,
        policy: Policy,
        listeners: Sequence[EventListener],
        holds: Holds,
        claims: Claims,
    ) -> None:
        on_execution = _each([one.on_execution for one in listeners])
        on_run = _each([one.on_run for one in listeners])
        missed = _each([one.missed for one in listeners])
        of_runs, of_holds = (at(policy.template.namespace) for at in (runs_path, holds_path))
        of_execution, namespaces = decode_only(EventOfExecution), policy.watch_namespaces
        executions = execution_paths(namespaces)
        hold_watch = ChangeStream(client, of_holds, holds.on_event, missed)
        holds.doubt = hold_watch.doubt
        self._all = (
            *(ChangeStream(client, at, claims.on_event, missed) for at in claim_paths(namespaces)),
            *(ChangeStream(client, at, on_execution, missed, of_execution) for at in executions),
            ChangeStream(client, of_runs, on_run, missed, decode_only(EventOfRun)),
            hold_watch,
        )

    async def begin(self) -> None:
        """Start them; what is listed after that and goes away is told by them."""
        for watch in self._all:
            watch.start()
        await asyncio.gather(*(watch.has_begun() for watch in self._all))

    async def stop(self) -> None:
        """Stop them all."""
        await asyncio.gather(*(watch.stop() for watch in self._all))

    def problem(self) -> str:
        """What has ended one of them; empty while all run."""
        return _first(watch.problem() for watch in self._all)

    def not_current(self) -> str:
        """Why what is known may be out of date; empty while all deliver."""
        return _first(watch.health.not_ready() for watch in self._all)

    def not_alive(self) -> str:
        """Why a new process may do better than this one; empty while there is no reason."""
        return self.problem() or _first(watch.health.not_alive() for watch in self._all)

    def names(self) -> set[str]:
        """What is watched."""
        return {watch.name for watch in self._all}

    def silence(self, name: str) -> float:
        """Seconds since something was heard of these; of several namespaces, the quietest."""
        return max(watch.health.silence() for watch in self._all if watch.name == name)


def _each(calls: Sequence[Callable[..., None]]) -> Callable[..., None]:
    """One that calls each; the only one there is, where there is but one."""
    if len(calls) == 1:
        return calls[0]

    def call_each(*given: Any) -> None:
        for call in calls:
            call(*given)

    return call_each


def _first(problems: Iterable[str]) -> str:
    """The first problem that there is; empty where there is none."""
    return next(filter(None, problems), "")

"""All watches of one operator, the checks before a start, and why data of watches may be stale.

Each check is repeated until the API server meets it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import structlog

from workflowexecution.api import identity
from workflowexecution.client.kube_cluster import KubeCluster, problem_of_versions
from workflowexecution.client.paths import claim_paths, execution_paths, holds_path, runs_path
from workflowexecution.controller.claims import Claims
from workflowexecution.controller.handlers import OF_EXECUTIONS, OF_RUNS, EventHandler, Listeners
from workflowexecution.controller.holds import Holds
from workflowexecution.core.facts.shapes import EventOfExecution, EventOfRun
from workflowexecution.core.policy import Policy
from workflowexecution.kube import errors, retry
from workflowexecution.kube.access import Access, RequestTally
from workflowexecution.kube.answers import Decode, decode_only, decode_whole
from workflowexecution.kube.kopf_operator import KopfOperator
from workflowexecution.kube.kopf_session import WatchSessions, kopf
from workflowexecution.kube.watch_tap import CanWait, Inbox, WatchTap, never
from workflowexecution.manager.view import EventListener
from workflowexecution.observe.web_server import Health

# The decoder for events of a path, and the test for events that need no immediate handling.
_Read = tuple[Decode, CanWait]


class TooOldError(Exception):
    """Kubernetes or Tekton has to be upgraded first; the message says which, and to what."""


class Preflight:
    """Reports in ``health`` and in the log why a start waits."""

    def __init__(self, cluster: KubeCluster, health: Health) -> None:
        self._cluster = cluster
        self._health = health
        self._checking = asyncio.Lock()
        self._is_checked = False
        self._log = structlog.get_logger("app")

    async def check_cluster(self) -> None:
        """Wait, once, until Kubernetes and Tekton are new enough and all kinds are served."""
        async with self._checking:
            if self._is_checked:
                return
            await self.patiently(self._check_versions)
            await self.patiently(self._cluster.check_kinds)
            self._is_checked = True

    async def patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat one step until it succeeds."""
        on = (errors.ApiError, TooOldError)
        await retry.until_it_succeeds(step, on=on, report=self._report)

    async def _check_versions(self) -> None:
        kubernetes, tekton = await self._cluster.versions()
        if problem := problem_of_versions(kubernetes, tekton):
            raise TooOldError(problem)
        self._log.info("versions", kubernetes=kubernetes, tekton=tekton or "unknown")

    def _report(self, error: BaseException, attempt: int) -> None:
        self._health.not_ready = _explain(error)
        self._log.warning("not ready", problem=self._health.not_ready, attempt=attempt)


def _explain(error: Any) -> str:
    """The reason why the operator cannot start, and advice."""
    if isinstance(error, TooOldError):
        return str(error)
    if isinstance(error, errors.NotFoundError):
        missing = "Tekton Pipelines" if "tekton.dev" in str(error) else _kind_in(str(error))
        return f"the CRDs of {missing} are not installed; install them, this is tried again"
    if isinstance(error, errors.ForbiddenError):
        return f"the operator's ServiceAccount lacks a right; apply its release again: {error}"
    return f"the API server does not answer as needed: {error}"


def _kind_in(text: str) -> str:
    kinds = {identity.HOLD_PLURAL: identity.HOLD_KIND, identity.CLAIM_PLURAL: identity.CLAIM_KIND}
    return next((kind for plural, kind in kinds.items() if plural in text), identity.KIND)


class Watches:
    """The watches of executions and runs, of holds and of claims.

    ``listener`` gets the same events of executions and runs as ``events``. ``check`` returns once
    the cluster serves the watched kinds. ``keep_signals`` takes SIGTERM and SIGINT back from kopf.
    """

    def __init__(
        self,
        access: Access,
        policy: Policy,
        events: EventHandler,
        listener: EventListener | None,
        holds: Holds,
        claims: Claims,
        tally: RequestTally,
        *,
        check: Callable[[], Awaitable[None]],
        keep_signals: Callable[[], None],
    ) -> None:
        listeners: list[EventListener] = [events, *([listener] if listener else [])]
        missed = _each([one.missed for one in listeners])
        on_execution = _each([one.on_execution for one in listeners])
        on_run = _each([one.on_run for one in listeners])

        def operate(
            registry: kopf.OperatorRegistry, namespaces: Sequence[str], watched: dict[str, _Read]
        ) -> KopfOperator:
            inbox = Inbox()
            taps = [WatchTap(path, inbox, missed, *read) for path, read in watched.items()]
            sessions = WatchSessions(access, taps, tally)
            memo = Listeners(
                inbox=inbox,
                login=sessions.login,
                check=check,
                on_execution=on_execution,
                on_run=on_run,
                on_hold=holds.on_event,
                on_claim=claims.on_event,
            )
            return KopfOperator(registry, memo, sessions, taps, namespaces, keep_signals)

        executions = decode_only(EventOfExecution), events.can_wait_execution
        runs = decode_only(EventOfRun), events.can_wait_run
        served, where = policy.watch_namespaces, policy.template.namespace
        of_executions = operate(
            OF_EXECUTIONS,
            served,
            dict.fromkeys(claim_paths(served), (decode_whole, never))
            | dict.fromkeys(execution_paths(served), executions),
        )
        of_runs = operate(
            OF_RUNS,
            [where],
            {runs_path(where): runs, holds_path(where): (decode_whole, never)},
        )
        self._operators = (of_executions, of_runs)
        self._taps = (*of_executions.taps, *of_runs.taps)
        (self._of_holds,) = (tap for tap in of_runs.taps if tap.path == holds_path(where))

    async def begin(self) -> None:
        """Start them; they report every change after this returns."""
        for operator in self._operators:
            operator.start()
        await asyncio.gather(*(tap.has_begun.wait() for tap in self._taps))

    async def stop(self) -> None:
        """Stop them all."""
        await asyncio.gather(*(operator.stop() for operator in self._operators))

    def problem(self) -> str:
        """Return why one of them has ended; empty while all run."""
        return _first(operator.problem() for operator in self._operators)

    def not_current(self) -> str:
        """The reason why the cache may be stale; empty while all watches deliver."""
        return _first(tap.health.not_ready() for tap in self._taps)

    def why_holds_are_stale(self) -> str:
        """The reason why holds may be incomplete; empty while there is none."""
        return self._operators[1].problem() or self._of_holds.health.stale_reason()

    def why_stale(self) -> str:
        """The reason why any of their data may be incomplete, always in the same words."""
        return _first(tap.health.stale_reason() for tap in self._taps)

    def not_alive(self) -> str:
        """The reason to restart the process; empty while there is none."""
        return self.problem() or _first(tap.health.not_alive() for tap in self._taps)

    def names(self) -> set[str]:
        """Names of the watched kinds."""
        return {tap.name for tap in self._taps}

    def silence(self, name: str) -> float:
        """Seconds since the last message of the watches of a kind; of several, the longest time."""
        return max(tap.health.silence() for tap in self._taps if tap.name == name)


def _each(calls: Sequence[Callable[..., None]]) -> Callable[..., None]:
    """A function that calls each of these; for a single one, that function itself."""
    if len(calls) == 1:
        return calls[0]

    def call_each(*given: Any) -> None:
        for call in calls:
            call(*given)

    return call_each


def _first(problems: Iterable[str]) -> str:
    """The first problem; empty where there is none."""
    return next(filter(None, problems), "")

"""Reads what the operator does not cache, as the history of one execution for one visitor.

The requests are few, and shared by all visitors; a history is limited to the rights of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from workflowexecution.api import reading
from workflowexecution.api.spec import parse_spec
from workflowexecution.api.status import Phase
from workflowexecution.client.cluster import RUNS_AT_ONCE, read_leftovers_of
from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.client.paths import OF_RELEASES, OF_SCHEDULING, events_path
from workflowexecution.core import pipelinerun
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import parse_release
from workflowexecution.core.facts.leftovers import Leftovers, is_of_run
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.kube import errors
from workflowexecution.kube.client import ApiClient
from workflowexecution.manager.view import OperatorView
from workflowexecution.page.gate import Sight
from workflowexecution.page.limits import ShortCache
from workflowexecution.page.recent import Recent
from workflowexecution.views.executions import Row, Wanted, rows_of
from workflowexecution.views.preview import Preview, preview_from
from workflowexecution.views.story import Moment, may_have_been_held, moments_of
from workflowexecution.views.why import Why, progress_of, why_of
from workflowexecution.views.wording import in_words, lacking, missing_right

_MOST_MOMENTS: Final = 200
_LEFT_S: Final = 3.0
_ACCOUNT_S: Final = 2.0
_ACCOUNTS: Final = 32
_NOT_SHOWN: Final = ("parameters", "rationale")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All facts of one execution, before the visitor's rights are applied.

    own_moments: from the execution alone; moments: with its run and tasks.
    note: says what could not be read.
    expected: the decision on a new execution like it; None where another operator decides.
    read_at: aware UTC.
    """

    execution: Execution
    run: Run | None
    own_moments: Sequence[Moment]
    moments: Sequence[Moment]
    note: str
    expected: Preview | None
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The content of the page of one execution.

    progress: of its run; empty where it does not run.
    image: of the bundle. request: the name of the RemediationRequest.
    notes: say what is left out, and why.
    """

    row: Row
    progress: str
    image: str
    request: str
    why: Why
    run: str
    moments: Sequence[Moment]
    notes: Sequence[str]
    now: datetime


def story_of(account: Account, sight: Sight, run_namespace: str) -> Story:
    """Make a story, and leave out what the visitor may not read.

    Args:
        account: of an execution in a namespace that the visitor sees.
        sight: what the visitor may see.
        run_namespace: the namespace of the run, if the execution does not name one.
    """
    execution = account.execution
    spec = reading.mapping(execution.raw, "spec")
    sees_run = sight.sees_runs and sight.sees_tasks
    moments = account.moments if sees_run else account.own_moments
    (row,) = rows_of([execution], Wanted(), account.read_at)
    where = execution.run_namespace or run_namespace
    return Story(
        row=row,
        progress=progress_of(execution) if execution.phase is Phase.RUNNING else "",
        image=reading.text(spec, "workflowRef", "containerImage"),
        request=reading.text(spec, "remediationRequestRef", "name"),
        why=why_of(execution, _seen(account.expected, sight), account.read_at),
        run=f"{where}/{execution.run_name}" if execution.run_name else "",
        moments=moments[:_MOST_MOMENTS],
        notes=_notes(account, sight, len(moments), where),
        now=account.read_at,
    )


def _seen(expected: Preview | None, sight: Sight) -> Preview | None:
    """The preview, without the name of an execution that the visitor may not see."""
    if expected is None or expected.skip is None:
        return expected
    cause = expected.skip.conflicting_workflow or expected.skip.recent_remediation
    if cause is None or sight.sees(cause.namespace or ""):
        return expected
    return replace(expected, skip=None, message="because of an execution that you may not see")


def _notes(account: Account, sight: Sight, moments: int, run_namespace: str) -> list[str]:
    notes = [account.note] if account.note else []
    if account.execution.run_name and not sight.sees_runs:
        notes.append(_untold(lacking("list", "pipelineruns", "tekton.dev", run_namespace)))
    elif account.execution.run_name and not sight.sees_tasks:
        notes.append(_untold(lacking("list", "taskruns", "tekton.dev", run_namespace)))
    if moments > _MOST_MOMENTS:
        notes.append(f"{moments - _MOST_MOMENTS} later moments are not shown")
    return notes


def _untold(right: str) -> str:
    return f"What its tasks did is not told: {right}"


class Sources:
    """The requests of the status page, sent with the operator's rights."""

    def __init__(self, client: ApiClient, view: OperatorView) -> None:
        policy = view.policy
        self._client = client
        self._view = view
        self._cluster = KubeCluster(
            client,
            execution_namespace=policy.template.namespace,
            watch_namespaces=policy.watch_namespaces,
        )
        self._left = ShortCache[str, dict[RunKey, Leftovers]](size=1, seconds=_LEFT_S)
        self._accounts = ShortCache[tuple[str, str], Account](size=_ACCOUNTS, seconds=_ACCOUNT_S)

    async def fill(self, recent: Recent) -> None:
        """Read all executions, page by page, and keep the newest. Raises: ApiError."""
        async for raw in self._cluster.list_executions():
            recent.take_in(parse_execution(raw))
        recent.is_complete = True

    async def leftovers(self) -> Mapping[RunKey, Leftovers]:
        """The parts that still execute of runs that lock targets. Raises: ApiError.

        The operator reads it only for a decision, and a standby never does.
        """
        return await self._left.get("", self._read_leftovers)

    async def account(self, namespace: str, name: str) -> Account:
        """Read all facts of one execution.

        Raises: NotFoundError where there is none of this name; other ApiErrors.
        """
        return await self._accounts.get((namespace, name), lambda: self._read(namespace, name))

    async def _read_leftovers(self) -> dict[RunKey, Leftovers]:
        held = [run for run in self._view.store.runs() if run.state is not RunState.FINISHED]
        # One request can name only so many runs: those that are stopping matter most.
        held.sort(key=lambda run: (run.state is not RunState.STOPPING, run.created_at))
        by_namespace: dict[str, list[Run]] = {}
        for run in held[:RUNS_AT_ONCE]:
            by_namespace.setdefault(run.namespace, []).append(run)
        found: dict[RunKey, Leftovers] = {}
        for runs in by_namespace.values():
            found |= await read_leftovers_of(self._cluster, runs)
        return found

    async def _read(self, namespace: str, name: str) -> Account:
        raw = await self._cluster.get_execution(namespace, name)
        execution = parse_execution(raw)
        run, task_runs, note = await self._read_run(execution)
        unread = [note] if note else []
        releases, scheduled = list[dict[str, Any]](), list[dict[str, Any]]()
        if may_have_been_held(execution):
            where = self._view.policy.template.namespace
            releases = await self._read_events(where, OF_RELEASES, unread)
        if run and task_runs:
            scheduled = await self._read_events(run.namespace, OF_SCHEDULING, unread)
        shown = _without_what_is_not_shown(execution)
        return Account(
            execution=shown,
            run=run,
            own_moments=tuple(moments_of(shown, None, ())),
            moments=tuple(
                moments_of(
                    shown,
                    run,
                    task_runs,
                    self._view.holds(),
                    releases=filter(None, map(parse_release, releases)),
                    scheduled=scheduled,
                )
            ),
            note="; ".join(unread),
            expected=self._expected(execution, raw),
            read_at=self._view.clock.now(),
        )

    def _expected(self, execution: Execution, raw: dict[str, Any]) -> Preview | None:
        """The decision on a new execution like it; None where another operator decides."""
        view = self._view
        if not view.policy.shard.holds(execution.target_key):
            return None
        spec, problem = parse_spec(raw)
        allowed = view.policy.template.allowed_service_accounts
        return preview_from(
            view.store,
            namespace=execution.namespace,
            target=execution.target,
            workflow_id=execution.workflow_id,
            problem=pipelinerun.problem_of(spec, allowed) if spec else problem,
            cooldown=view.policy.cooldown,
            holds=view.holds(),
            guards=view.policy.guards,
            now=view.clock.now(),
        )

    async def _read_run(self, execution: Execution) -> tuple[Run | None, list[dict[str, Any]], str]:
        """The run, its TaskRuns, and a note on what could not be read."""
        if execution.run_name is None:
            return None, [], ""
        where = execution.run_namespace or self._view.policy.template.namespace
        called = f"PipelineRun {where}/{execution.run_name}"
        try:
            run = parse_run(await self._cluster.get_run(where, execution.run_name))
            if run is None or run.owner is None or run.owner.uid != execution.uid:
                return None, [], f"{called} is not this execution's any more"
            found = await self._cluster.list_task_runs(where, [run.name])
        except errors.NotFoundError:
            return None, [], f"{called} is gone, and its tasks with it"
        except errors.MissingRightError as error:
            return None, [], missing_right(str(error))
        return run, [raw for raw in found if is_of_run(raw, run.uid)], ""

    async def _read_events(
        self, namespace: str, query: Mapping[str, str], unread: list[str]
    ) -> list[dict[str, Any]]:
        """Some Events of a namespace; ``unread`` is called where they cannot be read."""
        try:
            listed = self._client.list_pages(events_path(namespace), query)
            return [raw async for raw in listed]
        except errors.ApiError as error:
            unread.append(in_words(error))
            return []


def _without_what_is_not_shown(execution: Execution) -> Execution:
    """The execution without its parameters, which may hold secrets, and its rationale."""
    spec = reading.mapping(execution.raw, "spec")
    shown = {key: value for key, value in spec.items() if key not in _NOT_SHOWN}
    return replace(execution, raw={**execution.raw, "spec": shown})

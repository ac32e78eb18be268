"""Obstacles to a launch on a target: locks, cooldowns, and holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.api.status import SkipReason
from workflowexecution.cache.store import Store
from workflowexecution.core import evidence
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, hold_on
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey, RunState
from workflowexecution.core.guards import pause_end, reason_to_clear
from workflowexecution.core.names import lock_text
from workflowexecution.core.policy import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A locked target.

    holder: namespace/name of the execution; of the run, if it has no execution.
    state: Active, Stopping, or Unseen where only the status of the execution names the run.
    executing: for people; empty where it is not known.
    pods: `namespace/name` of the pods that may still execute.
    """

    target: str
    holder: str
    workflow_id: str
    since: datetime | None
    run: str
    state: str
    executing: str
    pods: tuple[str, ...]


def locks_of(
    executions: tuple[Execution, ...],
    runs: tuple[Run, ...],
    leftovers: Mapping[RunKey, Leftovers],
) -> list[Lock]:
    """All locked targets; the one that was locked first is first."""
    names = {run.name for run in runs}
    held = [
        (evidence.holder_of(run, _target_of(run)), run.state.value, _executing(run, leftovers))
        for run in runs
        if run.state is not RunState.FINISHED
    ]
    held += [
        (evidence.holder_by_status(item), "Unseen", ("", ()))
        for item in executions
        if item.run_name and not item.has_ended and item.run_name not in names
    ]
    held.sort(key=lambda item: evidence.start_order(item[0]))
    return [_lock(*item) for item in held]


def _lock(holder: Evidence, state: str, executing: tuple[str, tuple[str, ...]]) -> Lock:
    return Lock(
        target=holder.target,
        holder=f"{holder.namespace}/{holder.name}",
        workflow_id=holder.workflow_id,
        since=holder.started_at,
        run="/".join(filter(None, (holder.run_namespace, holder.run_name))),
        state=state,
        executing=executing[0],
        pods=executing[1],
    )


def _target_of(run: Run) -> str:
    """The target that the run names, else its key, which is in the name of the run."""
    return run.target or f"({run.target_key})"


def _executing(run: Run, leftovers: Mapping[RunKey, Leftovers]) -> tuple[str, tuple[str, ...]]:
    left = leftovers.get(run.key, Leftovers())
    pods = tuple(f"{pod.namespace}/{pod.name}" for pod in left.active_pods)
    tasks = sorted({task.task_name for task in left.task_runs if task.is_active})
    if tasks:
        return f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)}", pods
    if pods or run.state is RunState.STOPPING:
        return left.describe(), pods
    return run.reason, pods


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """A time in which a workflow may not run again on a target.

    execution: namespace/name of the execution that ended last.
    reason: of the skip of the next execution.
    until: aware UTC; the workflow may run again from then on. None, as `remaining`, where a person
        has to clear the failure before.
    """

    target: str
    workflow_id: str
    execution: str
    outcome: str
    reason: SkipReason
    completed_at: datetime
    until: datetime | None
    remaining: timedelta | None


def newest_ends(store: Store) -> list[Evidence]:
    """The newest end per target and workflow, without failures that a person has cleared."""
    newest: dict[tuple[str, str], Evidence] = {}
    for end in sorted(store.targets.ends(), key=evidence.end_order):
        newest[lock_text(end.target), end.workflow_id] = end
    return list(newest.values())


def cooldowns_of(
    store: Store, rules_for: Callable[[str], Rules | None], now: datetime
) -> list[Cooldown]:
    """The cooldowns, pauses after failures and failures to clear that are not over.

    Those with an end come first, in the order of their ends.

    Args:
        store: with the failure history, if a guard may be on.
        rules_for: the settings for a target; its ends are left out where that is None.
        now: aware UTC.
    """
    found: dict[tuple[str, str], Cooldown] = {}
    for one in (*_after_ends(store, rules_for, now), *_after_failures(store, rules_for, now)):
        key = (lock_text(one.target), one.workflow_id)
        if _is_active(one) and (key not in found or _end_order(found[key]) < _end_order(one)):
            found[key] = one
    return sorted(
        found.values(), key=lambda item: (*_end_order(item), item.target, item.workflow_id)
    )


def _after_ends(
    store: Store, rules_for: Callable[[str], Rules | None], now: datetime
) -> Iterator[Cooldown]:
    for end in newest_ends(store):
        rules = rules_for(end.target)
        if end.completed_at and rules:
            yield _cooldown(end, end.completed_at, end.completed_at + rules.cooldown, now)


def _after_failures(
    store: Store, rules_for: Callable[[str], Rules | None], now: datetime
) -> Iterator[Cooldown]:
    """The pauses and blocks of the guards; both are about the last end."""
    for ending in store.endings.newest_of_all():
        end, rules = ending.evidence, rules_for(ending.evidence.target)
        if end.completed_at is None or rules is None:
            continue
        if reason := reason_to_clear(ending, rules.guards):
            yield _cooldown(end, end.completed_at, None, now, reason)
        elif until := pause_end(ending, rules.guards):
            yield _cooldown(end, end.completed_at, until, now)


def _is_active(item: Cooldown) -> bool:
    return item.remaining is None or item.remaining > timedelta(0)


def _end_order(item: Cooldown) -> tuple[bool, timedelta]:
    return item.remaining is None, item.remaining or timedelta(0)


def _cooldown(
    end: Evidence,
    completed_at: datetime,
    until: datetime | None,
    now: datetime,
    reason: SkipReason = SkipReason.RECENTLY_REMEDIATED,
) -> Cooldown:
    return Cooldown(
        target=end.target,
        workflow_id=end.workflow_id,
        execution=f"{end.namespace}/{end.name}",
        outcome=end.outcome or "",
        reason=reason,
        completed_at=completed_at,
        until=until,
        remaining=until - now if until else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBy:
    """A hold and the executions that wait for it.

    state: Active, Expired or NotUnderstood; a hold that is not understood holds everything.
    until: aware UTC; None where the hold lasts until it is deleted.
    waiting: namespace/name of the executions that it concerns and that have no run yet; None where
        that is not known.
    """

    name: str
    namespace: str
    scope: str
    by: str
    reason: str
    since: datetime | None
    until: datetime | None
    state: str
    waiting: Sequence[str] | None = ()


def held_by(
    holds: Iterable[Hold], executions: Iterable[Execution] | None, now: datetime
) -> list[HeldBy]:
    """All holds: expired ones last, older ones before newer ones.

    Args:
        holds: all of them.
        executions: None where they are not known.
        now: aware UTC.
    """
    pending = _pending(executions)
    found = [_held_by(hold, pending, now) for hold in holds]
    return sorted(found, key=lambda item: (item.state == "Expired", str(item.since), item.name))


def extent_of(hold: Hold) -> str:
    """The launches that a hold stops: of which workflows, on which targets, in which namespaces."""
    if not (hold.workflow_id or hold.target or hold.for_namespace):
        return "every new launch is held: every workflow, on every target, in every namespace"
    workflow = f"workflow {hold.workflow_id}" if hold.workflow_id else "every workflow"
    target = f"target {hold.target}" if hold.target else "every target"
    # A target is in one namespace, but executions of all namespaces can name it.
    where = f"namespace {hold.for_namespace}" if hold.for_namespace else "every namespace"
    return f"new launches are held: {workflow}, on {target}, in {where}"


@dataclass(frozen=True, slots=True)
class Released:
    """The executions that waited for holds, after the end of these holds.

    going: `namespace/name` of those that no other hold concerns.
    still_held: `namespace/name` of the others, each with the name of a hold that is left.
    """

    going: Sequence[str]
    still_held: Sequence[tuple[str, str]]


def released(
    gone: Iterable[Hold], left: Iterable[Hold], executions: Iterable[Execution], now: datetime
) -> Released:
    """Find the executions that go on.

    Args:
        gone: the holds that were lifted.
        left: all others.
        executions: of all namespaces.
        now: aware UTC.
    """
    lifted, others = list(gone), list(left)
    going, still_held = list[str](), list[tuple[str, str]]()
    for item in _pending(executions) or ():
        name = f"{item.namespace}/{item.name}"
        if hold_on(lifted, item, now) is None:
            continue
        if holder := hold_on(others, item, now):
            still_held.append((name, holder.name))
        else:
            going.append(name)
    return Released(going, still_held)


def _pending(executions: Iterable[Execution] | None) -> list[Execution] | None:
    if executions is None:
        return None
    return [item for item in executions if not item.has_ended and item.run_name is None]


def _waiting_for(hold: Hold, pending: Iterable[Execution]) -> tuple[str, ...]:
    return tuple(
        f"{item.namespace}/{item.name}"
        for item in pending
        if hold.concerns(item.target, item.workflow_id, item.namespace)
    )


def _held_by(hold: Hold, pending: Sequence[Execution] | None, now: datetime) -> HeldBy:
    is_over = hold.is_over(now)
    state = "NotUnderstood" if hold.problem else "Expired" if is_over else "Active"
    return HeldBy(
        name=hold.name,
        namespace=hold.namespace,
        scope=hold.scope,
        by=hold.by,
        reason=hold.problem or hold.reason,
        since=hold.since,
        until=hold.until,
        state=state,
        waiting=None if pending is None else _waiting_for(hold, () if is_over else pending),
    )

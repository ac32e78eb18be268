"""A preview of the operator's decision on an execution that does not exist yet.

It uses the settings that the operator publishes, or needs none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import FailureReason
from workflowexecution.api.status_model import SkipDetails
from workflowexecution.cache.store import Store
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import HELD, Hold
from workflowexecution.core.facts.leftovers import Leftovers
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.guards import Ending, Guards
from workflowexecution.core.policy import Rules
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.verdict import Launch, Refuse, Skip, Verdict, Wait
from workflowexecution.views.published import Basis

NO_GUARDS: Final = Guards()
# The settings that skip the fewest executions, and those that skip the most.
_MILDEST: Final = Rules(timedelta(0), Guards())
_STRICTEST: Final = Rules(timedelta(days=365 * 1000), Guards(failed=True, retry_limit=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts that a preview is decided on.

    executions: of all namespaces.
    runs: in the execution namespace; also deleted runs that still have pods.
    leftovers: TaskRuns and active pods, of runs that may not have stopped.
    unread: says what could not be read because a right is missing.
    """

    executions: tuple[Execution, ...] = ()
    runs: tuple[Run, ...] = ()
    leftovers: Mapping[RunKey, Leftovers] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The decision on an execution that is created now.

    decision: Launch, Skip, Wait or Refuse; Unknown where it depends on settings that are not known.
    run: name of the run; empty where none is created.
    hold: name of the hold that the execution waits for; empty where there is none.
    until: aware UTC, end of the cooldown or of the hold; None where there is none or a run locks
        the target.
    """

    target: str
    workflow_id: str
    decision: str
    reason: str
    message: str
    run: str = ""
    skip: SkipDetails | None = None
    hold: str = ""
    until: datetime | None = None


def preview(
    facts: Facts,
    *,
    namespace: str,
    target: str,
    workflow_id: str,
    problem: str,
    cooldown: timedelta,
    run_namespace: str,
    holds: Sequence[Hold] = (),
    guards: Guards = NO_GUARDS,
    now: datetime,
) -> Preview:
    """Decide for an execution that does not exist.

    Args:
        facts: just listed.
        namespace: of the execution.
        target: as in `spec.targetResource`.
        workflow_id: as in `spec.workflowRef.workflowId`.
        problem: the error in its spec; empty where the spec is valid.
        cooldown: at least 0.
        run_namespace: of runs whose execution does not name one.
        holds: all of them.
        guards: the guards of the operator.
        now: aware UTC, after the facts were listed.
    """
    return preview_from(
        store_of(facts, run_namespace, now),
        namespace=namespace,
        target=target,
        workflow_id=workflow_id,
        problem=problem,
        cooldown=cooldown,
        holds=holds,
        guards=guards,
        now=now,
    )


def preview_from(
    store: Store,
    *,
    namespace: str,
    target: str,
    workflow_id: str,
    problem: str,
    cooldown: timedelta,
    holds: Sequence[Hold],
    guards: Guards,
    now: datetime,
) -> Preview:
    """Decide for an execution that does not exist, on the facts in a cache; see `preview`."""
    execution = _imagined(namespace, target, workflow_id, now)
    snapshot = store.snapshot(
        execution,
        problem=problem,
        cooldown=cooldown,
        # It has no run, so no deadline can pass.
        deadline_grace=timedelta(0),
        holds=holds,
        guards=guards,
        now=now,
    )
    return _preview_of(decide(snapshot), target, workflow_id, now)


def ending_on(
    facts: Facts, target: str, workflow_id: str, run_namespace: str, now: datetime
) -> Ending | None:
    """The newest end of a workflow on a target, for guards; None where it is not known."""
    return store_of(facts, run_namespace, now).endings.newest(target, workflow_id)


def store_of(facts: Facts, run_namespace: str, now: datetime) -> Store:
    """A cache with these facts alone."""
    store = Store(run_namespace, keeps_endings=True)
    for item in facts.executions:
        store.observe_execution(item, now=now)
    for run in facts.runs:
        store.observe_run(run, now=now)
    return store


def _preview_of(verdict: Verdict, target: str, workflow_id: str, now: datetime) -> Preview:
    match verdict:
        case Launch(run_name):
            return Preview(
                target=target,
                workflow_id=workflow_id,
                decision="Launch",
                reason="",
                message=f"workflow {workflow_id} may run on target {target} now",
                run=run_name,
            )
        case Skip(reason, _, until):
            outcome = outcome_of_skip(verdict, now)
            return Preview(
                target=target,
                workflow_id=workflow_id,
                decision="Skip",
                reason=reason,
                message=outcome.message,
                skip=outcome.skip,
                until=until,
            )
        case Wait(hold):
            return Preview(
                target=target,
                workflow_id=workflow_id,
                decision="Wait",
                reason=HELD,
                message=hold.describe(),
                hold=hold.name,
                until=hold.until,
            )
        case Refuse(problem, reason):
            return _refused(target, workflow_id, problem, reason)
        case _:
            raise AssertionError(f"an execution that does not exist has no {verdict}")


def _refused(target: str, workflow_id: str, problem: str, reason: FailureReason) -> Preview:
    return Preview(
        target=target,
        workflow_id=workflow_id,
        decision="Refuse",
        reason=reason,
        message=problem,
    )


def _imagined(namespace: str, target: str, workflow_id: str, now: datetime) -> Execution:
    """A new execution, with a UID that no object has."""
    return parse_execution(
        {
            "apiVersion": identity.API_VERSION,
            "kind": identity.KIND,
            "metadata": {
                "name": "preview",
                "namespace": namespace,
                "uid": "preview",
                "resourceVersion": "0",
                "creationTimestamp": format_time(now),
            },
            "spec": {"targetResource": target, "workflowRef": {"workflowId": workflow_id}},
        }
    )


def foretell(facts: Facts, basis: Basis, **asked: Any) -> Preview:
    """Decide for an execution that does not exist, by the published settings; see `preview`.

    Where these are not known, the decision is Unknown, unless it is the same for all settings.
    """
    if basis.rules is not None:
        return _by_rules(facts, basis.rules, asked)
    mildest, strictest = (_by_rules(facts, rules, asked) for rules in (_MILDEST, _STRICTEST))
    if mildest.decision == strictest.decision:
        return mildest
    held = f"{mildest.message}; " if mildest.decision == "Wait" else ""
    return Preview(
        target=mildest.target,
        workflow_id=mildest.workflow_id,
        decision="Unknown",
        reason="",
        message=f"{held}{_last_end(strictest)}whether it may run again depends on settings, and "
        f"{basis.unknown}",
    )


def _by_rules(facts: Facts, rules: Rules, asked: Mapping[str, Any]) -> Preview:
    return preview(facts, cooldown=rules.cooldown, guards=rules.guards, **asked)


def _last_end(strictest: Preview) -> str:
    last = strictest.skip.recent_remediation if strictest.skip else None
    if last is None:
        return ""
    return (
        f"workflow {last.workflow_id} ended last on target {last.target_resource} at "
        f"{last.completed_at:%Y-%m-%d %H:%M:%S} UTC ({last.outcome}, WorkflowExecution "
        f"{last.namespace}/{last.name}); "
    )

"""What would be decided now: the operator's own decision over facts that were just listed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflowexecution.api import identity
from workflowexecution.api.fields import format_time
from workflowexecution.api.status import FailureReason, SkipDetails
from workflowexecution.control.ledger import Ledger
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.execution import Execution, parse_execution
from workflowexecution.core.snapshot import Snapshot
from workflowexecution.core.status.outcome import outcome_of_skip
from workflowexecution.core.verdict import Launch, Refuse, Skip, Verdict
from workflowexecution.plugin.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of an execution that were created now.

    decision: Launch, Skip or Refuse.
    run: name of the run that would be created; empty where none would.
    until: aware UTC, end of the cooldown; None where there is none or a run holds the target.
    """

    target: str
    workflow_id: str
    decision: str
    reason: str
    message: str
    run: str = ""
    skip: SkipDetails | None = None
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
    now: datetime,
) -> Preview:
    """Decide for an execution that does not exist.

    Args:
        facts: everything listed.
        namespace: in which it would be created.
        target: as in `spec.targetResource`.
        workflow_id: as in `spec.workflowRef.workflowId`.
        problem: what is wrong with its spec; empty where it can be run.
        cooldown: at least 0.
        run_namespace: of runs whose execution does not tell.
        now: aware UTC, after the facts were listed.
    """
    execution = _imagined(namespace, target, workflow_id, now)
    snapshot = _snapshot(facts, execution, problem, cooldown, run_namespace, now)
    return _told(decide(snapshot), target, workflow_id, now)


def _snapshot(
    facts: Facts,
    execution: Execution,
    problem: str,
    cooldown: timedelta,
    run_namespace: str,
    now: datetime,
) -> Snapshot:
    ledger = Ledger(run_namespace)
    for item in facts.executions:
        ledger.observe_execution(item, now=now)
    for run in facts.runs:
        ledger.observe_run(run, now=now)
    return ledger.target_facts(execution).snapshot(
        execution,
        problem=problem,
        cooldown=cooldown,
        # It has no run of its own that could be given up.
        deadline_grace=timedelta(0),
        now=now,
    )


def _told(verdict: Verdict, target: str, workflow_id: str, now: datetime) -> Preview:
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
    """An execution as it would be seen first; its UID is nobody's."""
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

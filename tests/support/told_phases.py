"""Statuses of an execution from phase to phase, for the tests of what is sent about them."""

from dataclasses import replace
from typing import Any

from builders import NOW, TARGET, ago, finished_run, make_run
from workflowexecution.api.status import SkipReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.evidence import holder_of
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.status.compose import status_for, status_to_json
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import outcome_of_progress, outcome_of_run
from workflowexecution.core.verdict import Skip

BEFORE = WorkflowExecutionStatus()


def running() -> WorkflowExecutionStatus:
    """A run was made a minute ago."""
    run = make_run("mine", created_at=ago(minutes=1))
    return status_for(BEFORE, outcome_of_progress(run), generation=1, now=ago(minutes=1))


def ended() -> WorkflowExecutionStatus:
    """It has just come to a good end."""
    run = finished_run("mine", message="all well", created_at=ago(minutes=1), completed_at=NOW)
    return status_for(running(), outcome_of_run(run, None), generation=1, now=NOW)


def skipped() -> WorkflowExecutionStatus:
    """Another one holds the target."""
    skip = Skip(SkipReason.RESOURCE_BUSY, holder_of(make_run("holder"), TARGET))
    return status_for(BEFORE, outcome_of_skip(skip, NOW), generation=1, now=NOW)


def with_status(execution: Execution, status: WorkflowExecutionStatus, **spec: Any) -> Execution:
    """The execution as the API server has it with this status and these fields of its spec."""
    raw = {
        **execution.raw,
        "spec": {**execution.raw["spec"], **spec},
        "status": status_to_json(status),
    }
    return replace(parse_execution(raw), is_whole=True)

"""Every kind of status that the operator writes, made by the functions that it makes them with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from builders import NAMESPACE, NOW, TARGET, ago, make_execution, make_run, make_task_run, step
from workflowexecution.api.status import FailureReason, Phase, SkipReason
from workflowexecution.api.status_model import FailureDetails, WorkflowExecutionStatus
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.evidence import Evidence
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.execution import Request
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import TaskRun, parse_task_run
from workflowexecution.core.status.compose import status_for, status_to_json
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import (
    Outcome,
    outcome_of_failure,
    outcome_of_progress,
    outcome_of_run,
    outcome_of_stopping,
    outcome_of_wait,
)
from workflowexecution.core.verdict import Skip

RECORDED = Path(__file__).parents[2] / "recorded"
TASKS = ("check", "change")

REQUEST = Request(NAMESPACE, "request-1", "uid-of-request-1")
DIGEST = f"sha256:{'a' * 64}"


def run(**given: Any) -> Run:
    """A run of the execution under test, whose pipeline is resolved."""
    message = "Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0"
    return make_run("mine", **{"message": message, "tasks": TASKS, **given})


def ended_run(succeeded: str, reason: str = "Failed", **given: Any) -> Run:
    """A run that has ended a minute ago."""
    return run(succeeded=succeeded, reason=reason, **{"completed_at": ago(minutes=1), **given})


def failure_of(failed: Run, task_runs: Sequence[TaskRun] = ()) -> FailureDetails:
    """The failure of a run, diagnosed and worded."""
    return details_of(
        diagnose(failed, task_runs),
        make_execution(),
        task_names=failed.task_names,
        started_at=failed.started_at or failed.created_at,
        failed_at=failed.completed_at or NOW,
    )


def refusal(reason: FailureReason, has_started: bool = False) -> FailureDetails:
    """The failure of an execution that has no run to show."""
    diagnosis = Diagnosis(reason=reason, message="it says why", has_started=has_started)
    return details_of(diagnosis, make_execution(), started_at=NOW, failed_at=NOW)


def skip(reason: SkipReason, until: datetime | None = None, **known: Any) -> Skip:
    """A skip because of another execution, or of a run of which less is known."""
    evidence = {
        "name": "other",
        "namespace": NAMESPACE,
        "workflow_id": "restart",
        "target": TARGET,
        "run_name": "wfe-0123456789abcdef-1",
        "run_namespace": "kubernaut-workflows",
    }
    return Skip(reason, Evidence(**{**evidence, **known}), until)


def recent_skip(outcome: Phase = Phase.COMPLETED, remaining_s: float = 90.0) -> Skip:
    """A skip in a cooldown that still lasts so long."""
    return skip(
        SkipReason.RECENTLY_REMEDIATED,
        NOW + timedelta(seconds=remaining_s),
        completed_at=ago(minutes=3),
        outcome=outcome,
    )


def outcomes() -> dict[str, Outcome]:
    """Every outcome, by what has happened."""
    failed = ended_run("False")
    killed = [make_task_run("change", steps=[step("work", 137, "OOMKilled")])]
    exited = [make_task_run("change", steps=[step("read", 0), step("write", 7), step("end", 1)])]
    seen = {
        "waiting": outcome_of_wait(Phase.PENDING, "the cluster does not answer as needed"),
        "launched": outcome_of_run(run(tasks=(), message=""), None),
        "running": outcome_of_run(run(started_at=ago(minutes=9)), None),
        "complained-of": outcome_of_progress(run(), "Tekton should have begun by now"),
        "as-pinned": outcome_of_run(
            dataclasses.replace(run(), pinned_digest=DIGEST, fetched_digest=DIGEST), None
        ),
        "of-an-index": outcome_of_run(
            dataclasses.replace(
                ended_run("True", "Succeeded"), pinned_digest=DIGEST, fetched_digest="sha256:0"
            ),
            None,
        ),
        "stopping": outcome_of_stopping(
            ended_run("False", "Cancelled"), "pod runs/pod has stopped"
        ),
        "completed": outcome_of_run(ended_run("True", "Succeeded"), None),
        "failed": outcome_of_run(failed, failure_of(failed)),
        "killed": outcome_of_run(failed, failure_of(failed, killed)),
        "exited": outcome_of_run(failed, failure_of(failed, exited)),
        "ended-before-it-began": outcome_of_run(
            early := ended_run("False", completed_at=ago(minutes=99)), failure_of(early)
        ),
        "busy": outcome_of_skip(skip(SkipReason.RESOURCE_BUSY, started_at=ago(minutes=1)), NOW),
        "busy-for-a-request": outcome_of_skip(
            skip(SkipReason.RESOURCE_BUSY, started_at=ago(minutes=1), request=REQUEST), NOW
        ),
        "recent-of-a-request": outcome_of_skip(
            dataclasses.replace(
                recent_skip(), evidence=dataclasses.replace(recent_skip().evidence, request=REQUEST)
            ),
            NOW,
        ),
        "busy-since-unknown": outcome_of_skip(skip(SkipReason.RESOURCE_BUSY), NOW),
        "recent": outcome_of_skip(recent_skip(), NOW),
        "recent-failed": outcome_of_skip(recent_skip(Phase.FAILED, 0.25), NOW),
    }
    for reason in FailureReason:
        for has_started in (False, True):
            name = f"refused-{reason}" if not has_started else f"lost-{reason}"
            seen[name] = outcome_of_failure(refusal(reason, has_started))
    return seen | recorded_outcomes()


def recorded_outcomes() -> dict[str, Outcome]:
    """Outcomes of runs that a real Tekton has ended; of a deleted one nothing is recorded."""
    seen = {}
    for path in sorted(RECORDED.glob("*.json")):
        raw = json.loads(path.read_text())
        ended = raw["pipelineRun"] and parse_run(raw["pipelineRun"])
        if ended:
            task_runs = [parse_task_run(item) for item in raw["taskRuns"]]
            seen[f"recorded-{path.stem}"] = outcome_of_run(ended, failure_of(ended, task_runs))
    assert seen, f"nothing is recorded in {RECORDED}"
    return seen


def told(steps: Iterable[Outcome], now: datetime = NOW) -> list[dict[str, Any]]:
    """The statuses written one after another when these outcomes come to pass, a second apart."""
    status, written = WorkflowExecutionStatus(), []
    for second, outcome in enumerate(steps):
        at = now + timedelta(seconds=second)
        status = status_for(status, outcome, generation=1, now=at)
        written.append(status_to_json(status))
    return written


def all_statuses() -> dict[str, dict[str, Any]]:
    """Every outcome's status, on its own and after every other; by name."""
    known = outcomes()
    alone = {name: told([outcome])[-1] for name, outcome in known.items()}
    after = {
        f"{before}, {name}": told([known[before], outcome])[-1]
        for before in ("waiting", "launched", "as-pinned", "stopping")
        for name, outcome in known.items()
    }
    return {**alone, **after}

"""The promises of docs/how-to/migrate.md about runs that the Go controller left are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from builders import NOW, TARGET, ago, make_snapshot, raw_execution, raw_run, run_status
from workflowexecution.api.status import SkipReason
from workflowexecution.core import names
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.decoding import parse_execution, parse_run
from workflowexecution.core.facts.run import Run
from workflowexecution.core.policy import Retention, may_remove_run
from workflowexecution.core.verdict import FindRun, Launch, Skip

DAY = timedelta(days=1)
KEPT = Retention(runs=DAY, failed_runs=DAY, executions=DAY, cooldown=timedelta(minutes=5))


def _old_run(status: dict[str, Any]) -> Run:
    """Named after its target alone, which its parameter tells; it has no annotations of ours."""
    run = parse_run(
        raw_run(
            None,
            name=names.target_key(TARGET),
            target=None,
            workflow_id=None,
            created_at=ago(days=9),
            spec={"params": [{"name": "TARGET_RESOURCE", "value": TARGET}]},
            status=status,
        )
    )
    assert run is not None
    return run


def test_an_active_one_holds_its_target_and_is_nobodys() -> None:
    run = _old_run(run_status())
    verdict = decide(make_snapshot(runs=[run]))

    assert run.owner is None
    assert isinstance(verdict, Skip)
    assert verdict.reason is SkipReason.RESOURCE_BUSY


def test_one_that_has_ended_starts_no_cooldown_and_is_not_removed() -> None:
    run = _old_run(run_status("True", "Succeeded", completed_at=ago(minutes=1)))
    long_ago = _old_run(run_status("True", "Succeeded", completed_at=ago(days=8)))

    assert isinstance(decide(make_snapshot(runs=[run])), Launch)
    assert not may_remove_run(long_ago, KEPT, NOW)


def test_an_execution_that_is_running_looks_for_a_run_of_its_own() -> None:
    status = {"phase": "Running", "pipelineRunRef": {"name": names.target_key(TARGET)}}
    running = parse_execution(raw_execution(status=status))

    verdict = decide(make_snapshot(running, runs=[_old_run(run_status())]))

    assert isinstance(verdict, FindRun)

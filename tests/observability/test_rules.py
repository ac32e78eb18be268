"""The rules are well-formed, and each alerts when it should and not before, as promtool says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import monitoring
from harness.prometheus import promtool, write_rules

# An hour of an operator that is well, read every minute.
WELL = {
    'workflowexecution_build_info{version="0.1.0"}': "1x120",
    'workflowexecution_leader{instance="a"}': "1x120",
    'workflowexecution_leader{instance="b"}': "0x120",
    "workflowexecution_lock_violations_total": "0x120",
    'workflowexecution_watch_silence_seconds{watch="pipelineruns"}': "60x120",
    "workflowexecution_queue_oldest_age_seconds": "30x120",
    'workflowexecution_reconcile_failures_total{kind="run"}': "0+1x120",
    'workflowexecution_api_requests_total{verb="GET",code="200"}': "0+600x120",
    'workflowexecution_api_requests_total{verb="GET",code="404"}': "0+100x120",
    'workflowexecution_api_requests_total{verb="GET",code="503"}': "0+1x120",
    'workflowexecution_api_requests_total{verb="GET",code="403"}': "5x120",
    'workflowexecution_creation_to_launch_seconds_bucket{le="2"}': "0+10x120",
    'workflowexecution_creation_to_launch_seconds_bucket{le="+Inf"}': "0+10x120",
    'workflowexecution_end_to_status_seconds_bucket{le="5"}': "0+10x120",
    'workflowexecution_end_to_status_seconds_bucket{le="+Inf"}': "0+10x120",
    "workflowexecution_stuck_runs": "0x120",
    "workflowexecution_oldest_run_age_seconds": "1800x120",
    "workflowexecution_held": "0x120",
    "workflowexecution_namespaces_left": "0x120",
    'workflowexecution_total{outcome="Completed"}': "0+1x120",
    'workflowexecution_total{outcome="Failed"}': "0+0x120",
    'workflowexecution_resync_repairs_total{kind="run"}': "1x120",
    'workflowexecution_cloudevents_total{result="retried"}': "0x120",
}


@dataclass(frozen=True)
class Case:
    """One alert: what is otherwise than well, when it is not yet told, when it is, and how."""

    alert: str
    series: dict[str, str]
    not_at: str
    at: str
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


CASES = [
    Case(
        "WorkflowExecutionOperatorDown",
        {'workflowexecution_build_info{version="0.1.0"}': "1x10 stale"},
        "12m",
        "20m",
        "No workflow operator can be read, so nothing is remediated.",
    ),
    Case(
        "WorkflowExecutionNoLeader",
        {'workflowexecution_leader{instance="a"}': "1x10 0x30"},
        "12m",
        "15m",
        "Operators stand by and none of them leads, so nothing is remediated.",
    ),
    Case(
        "WorkflowExecutionLockViolated",
        {"workflowexecution_lock_violations_total": "0x10 1x100"},
        "10m",
        "12m",
        "Two runs were active on one target.",
    ),
    Case(
        "WorkflowExecutionWatchSilent",
        {'workflowexecution_watch_silence_seconds{watch="pipelineruns"}': "60x10 120x10"},
        "11m",
        "13m",
        "Nothing has been heard on the watch of pipelineruns for 2m 0s.",
        {"watch": "pipelineruns"},
    ),
    Case(
        "WorkflowExecutionQueueStuck",
        {"workflowexecution_queue_oldest_age_seconds": "300x10 600x20"},
        "13m",
        "17m",
        "Something in the operator's queue has not been done for 10m 0s.",
    ),
    Case(
        "WorkflowExecutionReconcileFailing",
        {'workflowexecution_reconcile_failures_total{kind="run"}': "0+30x60"},
        "9m",
        "30m",
        "Passes over runs fail 500m times a second.",
        {"kind": "run"},
    ),
    Case(
        "WorkflowExecutionApiErrors",
        {'workflowexecution_api_requests_total{verb="GET",code="503"}': "0+300x60"},
        "9m",
        "30m",
        "30% of the requests to the API server have no good answer.",
    ),
    Case(
        "WorkflowExecutionRightMissing",
        {'workflowexecution_api_requests_total{verb="GET",code="403"}': "5x10 5+1x60"},
        "20m",
        "40m",
        "The API server forbids something that the operator asks for.",
    ),
    Case(
        "WorkflowExecutionLaunchSlow",
        {
            'workflowexecution_creation_to_launch_seconds_bucket{le="2"}': "0+0x60",
            'workflowexecution_creation_to_launch_seconds_bucket{le="60"}': "0+10x60",
        },
        "9m",
        "30m",
        "One execution in twenty waits longer than 57.1s for its run.",
    ),
    Case(
        "WorkflowExecutionStatusLate",
        {
            'workflowexecution_end_to_status_seconds_bucket{le="5"}': "0+0x60",
            'workflowexecution_end_to_status_seconds_bucket{le="120"}': "0+10x60",
        },
        "9m",
        "30m",
        "One status in twenty comes later than 1m 54s after the run's end.",
    ),
    Case(
        "WorkflowExecutionTargetStuck",
        {"workflowexecution_stuck_runs": "0x10 2x30"},
        "15m",
        "22m",
        "2 runs hold their target because Kubernetes cannot end a pod of theirs.",
    ),
    Case(
        "WorkflowExecutionHeld",
        {"workflowexecution_held": "0x10 3x100"},
        "70m",
        "72m",
        "3 executions have waited for an hour because of a WorkflowHold.",
    ),
    Case(
        "WorkflowExecutionNamespaceLeft",
        {"workflowexecution_namespaces_left": "0x10 2x30"},
        "13m",
        "17m",
        "2 namespaces are left to another installation, which has claimed them.",
    ),
    Case(
        "WorkflowExecutionRunOld",
        {"workflowexecution_oldest_run_age_seconds": "7200x10 7260x10"},
        "10m",
        "12m",
        "A run has held its target for 2h 1m 0s.",
    ),
    Case(
        "WorkflowExecutionFailureRate",
        {'workflowexecution_total{outcome="Failed"}': "0+3x120"},
        "1m",
        "90m",
        "75% of the remediations of the last hour failed.",
    ),
    Case(
        "WorkflowExecutionWatchLosesEvents",
        {'workflowexecution_resync_repairs_total{kind="run"}': "1x10 11x60"},
        "10m",
        "12m",
        "A resync had to find what no watch had told of.",
    ),
    Case(
        "WorkflowExecutionCloudEventsLost",
        {'workflowexecution_cloudevents_total{result="retried"}': "0x10 0+10x60"},
        "12m",
        "20m",
        "CloudEvents do not reach their sink.",
    ),
]
RULES = {rule["alert"]: rule for rule in monitoring.rules()}


def test_the_rules_are_well_formed(tmp_path: Path) -> None:
    done = promtool("check", "rules", "--lint-fatal", "--lint=all", str(write_rules(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_its_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_a_rule_alerts_when_it_should(tmp_path: Path, case: Case) -> None:
    rule = RULES[case.alert]
    told = {
        "exp_labels": {**rule["labels"], **case.labels},
        "exp_annotations": {**rule["annotations"], "summary": case.summary},
    }
    expected = [(case.not_at, []), (case.at, [told])]
    checks = [
        {"eval_time": at, "alertname": case.alert, "exp_alerts": alerts} for at, alerts in expected
    ]
    passes(tmp_path, {**WELL, **case.series}, checks)


def test_nothing_alerts_while_all_is_well(tmp_path: Path) -> None:
    checks = [
        {"eval_time": at, "alertname": name, "exp_alerts": []}
        for name in RULES
        for at in ("30m", "90m")
    ]
    passes(tmp_path, WELL, checks)


def passes(folder: Path, series: dict[str, str], checks: list[dict[str, Any]]) -> None:
    test = {
        "rule_files": [str(write_rules(folder))],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": key, "values": said} for key, said in series.items()],
                "alert_rule_test": checks,
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(test))
    done = promtool("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr

"""Executions in a list."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, ago, make_execution, raw_execution
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import Phase
from workflowexecution.core.diagnosis.explanations import CAUSES, Cause
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.page.recent import slim
from workflowexecution.views.executions import Activity, By, Wanted, activity_of, reason_of, rows_of
from workflowexecution.views.why import why_of


def test_a_running_one_lasts_until_now_and_one_that_waits_has_not_begun() -> None:
    running = make_execution("a", phase=Phase.RUNNING, number=1, started_at=ago(minutes=3))
    waiting = make_execution("b", phase=Phase.PENDING)
    rows = rows_of([running, waiting], Wanted(), NOW)
    assert [row.duration for row in rows] == [None, timedelta(minutes=3)]


def test_the_newest_is_first_whatever_it_is_called() -> None:
    old, new = raw_execution("z"), raw_execution("a")
    old["metadata"]["creationTimestamp"] = format_time(ago(minutes=9))
    new["metadata"]["creationTimestamp"] = format_time(ago(minutes=3))
    rows = rows_of(map(parse_execution, (old, new)), Wanted(), NOW)
    assert [(row.execution.name, row.age) for row in rows] == [
        ("a", timedelta(minutes=3)),
        ("z", timedelta(minutes=9)),
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), True),
        (Wanted(target="payment/Deployment/payment-api"), True),
        (Wanted(target="payment/deployment/payment-api"), True),
        (Wanted(target="payment/deployments/payment-api"), False),
        (Wanted(workflow_id="restart", phases=[Phase.RUNNING]), True),
        (Wanted(workflow_id="scale"), False),
        (Wanted(phases=[Phase.FAILED]), False),
        (Wanted(created_since=ago(hours=1)), True),
        (Wanted(created_since=ago(minutes=59)), False),
    ],
)
def test_what_is_not_asked_for_is_left_out(wanted: Wanted, found: bool) -> None:
    execution = make_execution(phase=Phase.RUNNING, number=1)
    assert bool(rows_of([execution], wanted, NOW)) is found


HOUR = timedelta(hours=1)


def ended(name: str, phase: Phase, minutes: int, seconds: int = 60, **given: Any) -> Execution:
    """One that ended so many minutes ago, after so many seconds."""
    end = ago(minutes=minutes)
    if phase is Phase.SKIPPED:
        known = make_execution(name, phase=phase, completed_at=end, **given)
        return with_status(known, skipDetails={"reason": given.get("reason", "ResourceBusy")})
    began = end - timedelta(seconds=seconds)
    known = make_execution(name, phase=phase, number=1, started_at=began, completed_at=end, **given)
    failure = {"failureDetails": {"reason": "TaskFailed"}} if phase is Phase.FAILED else {}
    return with_status(known, duration=f"{seconds}s", **failure)


def with_status(known: Execution, **fields: Any) -> Execution:
    return replace(known, raw={**known.raw, "status": {**known.raw["status"], **fields}})


def summed(*executions: Execution, by: By = By.WORKFLOW) -> Activity:
    return activity_of(executions, by, HOUR, NOW)


def test_only_what_was_within_the_while_is_counted() -> None:
    found = summed(
        ended("a", Phase.COMPLETED, 5),
        ended("b", Phase.FAILED, 59, seconds=1),
        ended("c", Phase.COMPLETED, 61),
        ended("d", Phase.SKIPPED, 5),
        ended("e", Phase.SKIPPED, 90),
        make_execution("f", phase=Phase.RUNNING, number=2, started_at=ago(hours=3)),
        make_execution("g"),
    )
    (group,) = found.groups
    assert (group.active, group.launched, group.per_hour) == (2, 2, 2.0)
    assert (group.completed, group.failed, group.skipped) == (1, 1, 1)
    assert (found.skips, found.failures) == ({"ResourceBusy": 1}, {"TaskFailed": 1})


def test_durations_are_of_runs_that_ended_and_are_real_ones() -> None:
    found = summed(*[ended(f"e{n}", Phase.COMPLETED, 5, seconds=n) for n in range(1, 11)])
    lengths = (found.total.median, found.total.p90, found.total.longest)
    assert lengths == tuple(timedelta(seconds=n) for n in (5, 9, 10))
    nothing = summed(ended("s", Phase.SKIPPED, 5)).total
    assert (nothing.median, nothing.longest) == (None, None)


def test_groups_are_by_what_is_asked_for_the_busiest_first() -> None:
    executions = (
        ended("a", Phase.COMPLETED, 5, workflow_id="scale"),
        ended("b", Phase.COMPLETED, 5, workflow_id="restart"),
        ended("c", Phase.COMPLETED, 5, workflow_id="restart"),
        ended("d", Phase.COMPLETED, 500, workflow_id="gone"),
    )
    assert [group.name for group in summed(*executions).groups] == ["restart", "scale"]
    assert [group.name for group in summed(*executions, by=By.NAMESPACE).groups] == ["team-a"]
    assert len(summed(*executions, by=By.TARGET).groups) == 1


def test_where_there_is_nothing_nothing_is_summed_up() -> None:
    found = summed()
    assert (found.groups, found.skips, found.failures) == ([], {}, {})
    assert (found.total.launched, found.total.per_hour) == (0, 0.0)


def test_for_people_what_a_person_cancelled_is_cancelled() -> None:
    def failed(summary: str, reason: str = "Unknown") -> Execution:
        details = {"reason": reason, "naturalLanguageSummary": summary}
        conditions = [{"type": "Succeeded", "status": "False", "reason": reason}]
        status = {"phase": "Failed", "failureDetails": details, "conditions": conditions}
        status |= {"completionTime": format_time(NOW)}
        return parse_execution(raw_execution(status=status))

    by_person = f"It failed. {CAUSES[Cause.CANCELLED].to_do}"
    found = [failed(by_person), failed("It failed."), failed(by_person, "TaskFailed")]
    assert [reason_of(item) for item in found] == ["Cancelled", "Unknown", "TaskFailed"]
    assert [reason_of(slim(item)) for item in found] == ["Cancelled", "Unknown", "TaskFailed"]
    summed = activity_of(found, By.WORKFLOW, timedelta(hours=1), NOW)
    assert summed.failures == {"Cancelled": 1, "Unknown": 1, "TaskFailed": 1}
    told = why_of(found[0], None, NOW)
    assert (told.reason, told.means, told.to_do) == (
        "Cancelled",
        CAUSES[Cause.CANCELLED].means,
        CAUSES[Cause.CANCELLED].to_do,
    )

"""Executions in a list."""

from datetime import timedelta

import pytest

from builders import NOW, ago, make_execution, raw_execution
from workflowexecution.api.fields import format_time
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import parse_execution
from workflowexecution.views.executions import Wanted, rows_of


def test_a_running_one_lasts_until_now_and_one_that_waits_has_not_begun() -> None:
    running = make_execution("a", phase=Phase.RUNNING, slot=1, started_at=ago(minutes=3))
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
        (Wanted(target="payment/deployment/payment-api"), False),
        (Wanted(workflow_id="restart", phases=[Phase.RUNNING]), True),
        (Wanted(workflow_id="scale"), False),
        (Wanted(phases=[Phase.FAILED]), False),
        (Wanted(created_since=ago(hours=1)), True),
        (Wanted(created_since=ago(minutes=59)), False),
    ],
)
def test_what_is_not_asked_for_is_left_out(wanted: Wanted, found: bool) -> None:
    execution = make_execution(phase=Phase.RUNNING, slot=1)
    assert bool(rows_of([execution], wanted, NOW)) is found

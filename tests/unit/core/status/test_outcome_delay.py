"""A silent or late run is reported in steps, and given up at the end of its grace."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import NOW, make_execution, make_run, make_snapshot, raw_run
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.run import Run
from workflowexecution.core.status.outcome import TektonDelay, tekton_delay
from workflowexecution.core.verdict import GiveUp, ReportRun

GRACE = timedelta(minutes=5)
LIMIT = {"timeouts": {"pipeline": "10m"}}


def after(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def started(seconds: float = 0) -> Run:
    at = after(seconds=seconds)
    return make_run("mine", created_at=NOW, started_at=at, spec=LIMIT)


NOT_TAKEN_UP = make_run("mine", created_at=NOW, spec=LIMIT)


@pytest.mark.parametrize(
    ("run", "now", "complaint", "until"),
    [
        pytest.param(NOT_TAKEN_UP, NOW, "", after(seconds=30), id="just-created"),
        pytest.param(
            NOT_TAKEN_UP,
            after(seconds=30),
            "has not taken up",
            after(minutes=10, seconds=30),
            id="nobody-takes-it-up",
        ),
        pytest.param(
            started(), after(minutes=9), "", after(minutes=10, seconds=30), id="within-its-limit"
        ),
        pytest.param(
            started(),
            after(minutes=10, seconds=30),
            "is past its time limit of 10m0s",
            after(minutes=15),
            id="late",
        ),
        pytest.param(started(), after(minutes=15), "is past its time limit", None, id="very-late"),
        pytest.param(
            make_run("mine", created_at=NOW, started_at=NOW),
            after(days=9),
            "",
            None,
            id="without-a-limit",
        ),
    ],
)
def test_a_delay_is_complained_of_in_steps(
    run: Run, now: datetime, complaint: str, until: datetime | None
) -> None:
    found = tekton_delay(run, grace=GRACE, now=now)
    assert found.until == until
    assert complaint in found.complaint
    assert bool(found.complaint) == bool(complaint)


def test_a_run_is_given_up_exactly_at_the_end_of_its_grace() -> None:
    run = started()
    execution = make_execution()
    for late, expected in (
        (-timedelta(microseconds=1), ReportRun(run)),
        (timedelta(0), GiveUp(run)),
    ):
        snapshot = make_snapshot(execution, runs=[run], now=after(minutes=15) + late)
        assert decide(snapshot) == expected


def test_a_run_that_has_ended_is_not_given_up() -> None:
    run = make_run(
        "mine", created_at=NOW, succeeded="True", completed_at=after(minutes=1), spec=LIMIT
    )
    assert decide(make_snapshot(runs=[run], now=after(days=1))) == ReportRun(run)


def test_a_run_that_is_queued_waits_for_as_long_as_it_takes() -> None:
    held = {**LIMIT, "status": "PipelineRunPending"}
    run = make_run("mine", created_at=NOW, reason="PipelineRunPending", spec=held)
    assert tekton_delay(run, grace=GRACE, now=after(days=9)) == TektonDelay("", None)
    assert decide(make_snapshot(runs=[run], now=after(days=9))) == ReportRun(run)


def test_the_limit_of_a_run_that_was_queued_counts_from_its_release() -> None:
    run = replace(NOT_TAKEN_UP, released_at=after(days=1))
    assert tekton_delay(run, grace=GRACE, now=after(days=1, seconds=29)).complaint == ""
    assert (
        "has not taken up"
        in tekton_delay(run, grace=GRACE, now=after(days=1, seconds=30)).complaint
    )
    assert run.given_up_at(GRACE) == after(days=1, minutes=15)
    assert replace(run, started_at=after(days=2)).given_up_at(GRACE) == after(days=2, minutes=15)


@pytest.mark.parametrize("limit", ["0s", "", "soon"])
def test_a_run_without_a_limit_never_expires(limit: str) -> None:
    run = make_run("mine", created_at=NOW, spec={"timeouts": {"pipeline": limit}})
    assert run.given_up_at(GRACE) is None


@pytest.mark.parametrize(
    ("started_at", "limit"), [("9999-12-31T23:00:00Z", "2h"), ("2026-01-01T00:00:00Z", "99999999h")]
)
def test_a_limit_beyond_all_dates_is_never_reached(started_at: str, limit: str) -> None:
    """Anybody can write such a status, and it must not keep its execution from being served."""
    raw = raw_run("mine", spec={"timeouts": {"pipeline": limit}}, status={"startTime": started_at})
    run = parse_run(raw)
    assert run is not None
    assert run.given_up_at(GRACE) is None
    assert tekton_delay(run, grace=GRACE, now=NOW).complaint == ""

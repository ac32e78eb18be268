"""A guard keeps a workflow from a target after failures, until its condition is met."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    NOW,
    TARGET,
    ago,
    failed_execution,
    finished_run,
    make_execution,
    make_failure,
    make_run,
    make_snapshot,
)
from workflowexecution.api.status import Phase, SkipReason
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards, counted, ending_of_execution, ending_of_run
from workflowexecution.core.status.compose import parse_status, status_for
from workflowexecution.core.status.failures import outcome_of_skip
from workflowexecution.core.status.outcome import Outcome, outcome_of_failure
from workflowexecution.core.verdict import Launch, Skip

FAILED = Guards(failed=True)
RETRIES = Guards(retry_limit=5)
COOLDOWN = timedelta(minutes=5)
LATER = ago(minutes=6)


def decided(guards: Guards, *others: Execution, runs: tuple[Run, ...] = (), **given: Any) -> Any:
    return decide(make_snapshot(others=others, runs=runs, guards=guards, **given))


def reason(*others: Execution, guards: Guards = FAILED, **given: Any) -> SkipReason | None:
    verdict = decided(guards, *others, **given)
    return verdict.reason if isinstance(verdict, Skip) else None


def failed_run(owner: str = "failed", **given: Any) -> Run:
    ended = {"succeeded": "False", "has_stopped": True, "completed_at": ago(minutes=10)}
    return make_run(owner, **{"created_at": ago(minutes=20), **ended, **given})


BLOCKED = SkipReason.PREVIOUS_EXECUTION_FAILED


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([failed_execution()], BLOCKED, id="it-failed-at-work"),
        pytest.param([failed_execution(had_begun=False)], None, id="before-it-began"),
        pytest.param([failed_execution(had_begun=None, number=1)], BLOCKED, id="nobody-can-tell"),
        pytest.param([failed_execution(had_begun=None)], None, id="no-run-was-made"),
        pytest.param([failed_execution(cleared="jane: looked")], None, id="cleared"),
        pytest.param([failed_execution(cleared="  ")], BLOCKED, id="cleared-by-nobody"),
        pytest.param([failed_execution(workflow_id="other")], None, id="another-workflow"),
        pytest.param(
            [
                failed_execution(),
                make_execution("ok", phase=Phase.COMPLETED, number=2, completed_at=LATER),
            ],
            None,
            id="it-has-succeeded-since",
        ),
        pytest.param(
            [
                failed_execution(completed_at=LATER),
                make_execution("ok", phase=Phase.COMPLETED, number=2, completed_at=ago(hours=1)),
            ],
            BLOCKED,
            id="it-had-succeeded-before",
        ),
        pytest.param(
            [
                failed_execution("old", cleared="jane"),
                failed_execution("new", completed_at=LATER),
            ],
            BLOCKED,
            id="it-failed-again-after-it-was-cleared",
        ),
        pytest.param(
            [
                failed_execution("old"),
                failed_execution("new", completed_at=LATER, cleared="jane"),
            ],
            None,
            id="the-newest-was-cleared-and-with-it-all-before",
        ),
        pytest.param(
            [
                failed_execution(),
                make_execution("skipped", phase=Phase.SKIPPED, completed_at=LATER),
            ],
            BLOCKED,
            id="a-skip-is-no-end",
        ),
    ],
)
def test_after_a_failure_at_work(others: list[Execution], expected: SkipReason | None) -> None:
    assert reason(*others) is expected
    assert reason(*others[::-1]) is expected
    assert reason(*others, guards=Guards()) is None


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(failed_run(tasks=("change",)), BLOCKED, id="its-pipeline-was-resolved"),
        pytest.param(failed_run(), None, id="it-was-not"),
        pytest.param(failed_run(has_started=True), BLOCKED, id="a-step-was-seen"),
        pytest.param(failed_run(tasks=("change",), has_started=False), None, id="none-was"),
        pytest.param(finished_run(), None, id="it-succeeded"),
        pytest.param(
            replace(failed_run(tasks=("change",)), is_cleared=True), None, id="it-was-cleared"
        ),
    ],
)
def test_a_run_whose_execution_is_deleted_tells_of_its_failure(
    run: Run, expected: SkipReason | None
) -> None:
    assert reason(runs=(run,)) is expected


@pytest.mark.parametrize(
    ("execution", "run", "expected"),
    [
        pytest.param(
            failed_execution(had_begun=False, number=1),
            failed_run(tasks=("change",)),
            None,
            id="the-execution-tells-more-exactly",
        ),
        pytest.param(
            failed_execution(number=1, cleared="jane"),
            failed_run(tasks=("change",)),
            None,
            id="cleared-on-the-execution",
        ),
        pytest.param(
            failed_execution(number=1),
            replace(failed_run(tasks=("change",)), is_cleared=True),
            None,
            id="cleared-on-the-run",
        ),
        pytest.param(
            failed_execution(number=1, cleared="jane"),
            failed_run("later", number=2, tasks=("change",), completed_at=LATER),
            BLOCKED,
            id="another-run-is-not-cleared-with-it",
        ),
    ],
)
def test_an_execution_and_its_run_tell_of_one_end(
    execution: Execution, run: Run, expected: SkipReason | None
) -> None:
    assert reason(execution, runs=(run,)) is expected


def test_a_run_that_names_no_workflow_tells_of_no_ending() -> None:
    assert ending_of_run(failed_run(workflow_id=None), NOW) is None


@pytest.mark.parametrize(
    ("count", "expected"),
    [(4, None), (5, SkipReason.EXHAUSTED_RETRIES), (7, SkipReason.EXHAUSTED_RETRIES)],
)
def test_after_so_many_failures_before_it_began(count: int, expected: SkipReason | None) -> None:
    last = failed_execution(had_begun=False, count=count)
    assert reason(last, guards=RETRIES) is expected
    assert reason(last, guards=FAILED) is None
    cleared = failed_execution(had_begun=False, count=count, cleared="jane")
    assert reason(cleared, guards=RETRIES) is None


@pytest.mark.parametrize("count", [None, 0, -3, "many", 2.5, 2**40, [5]])
def test_a_count_that_makes_no_sense_is_one(count: object) -> None:
    last = ending_of_execution(failed_execution(had_begun=False, count=count), NOW)
    assert last is not None
    assert last.failures == 1


def test_a_failure_at_work_is_none_of_those_that_are_counted() -> None:
    assert reason(failed_execution(count=9), guards=RETRIES) is None


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (60, 10), (10**9, 10)]
)
def test_pauses_grow_up_to_the_longest(failures: int, minutes: int) -> None:
    assert RETRIES.pause_after(failures) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("run", "seconds_ago", "until"),
    [
        pytest.param(False, 1, timedelta(minutes=4), id="a-refusal-pauses"),
        pytest.param(True, 1, timedelta(minutes=5), id="a-cooldown-that-is-longer-counts"),
        pytest.param(False, 240, None, id="the-pause-is-over-to-the-second"),
    ],
)
def test_between_failures_it_waits_as_long_as_is_told(
    run: bool, seconds_ago: int, until: timedelta | None
) -> None:
    ended_at = ago(seconds=seconds_ago)
    last = failed_execution(
        had_begun=False, count=3, completed_at=ended_at, number=1 if run else None
    )
    verdict = decided(RETRIES, last)
    if until is None:
        assert isinstance(verdict, Launch)
        return
    assert (verdict.reason, verdict.until) == (SkipReason.RECENTLY_REMEDIATED, ended_at + until)
    details = outcome_of_skip(verdict, NOW).skip
    assert details is not None
    assert details.recent_remediation is not None
    assert details.recent_remediation.cooldown_remaining == ended_at + until - NOW
    assert ("3 times in a row" in details.message) is not run


def refusal(*, has_begun: bool = False) -> Outcome:
    return outcome_of_failure(make_failure(has_begun=has_begun))


@pytest.mark.parametrize(
    ("before", "failures", "again"),
    [
        (None, 1, timedelta(minutes=1)),
        (failed_execution(had_begun=False), 2, timedelta(minutes=2)),
        (failed_execution(had_begun=False, count=3), 4, timedelta(minutes=8)),
        (failed_execution(had_begun=False, count=4), 5, None),
        (failed_execution(had_begun=False, count=4, cleared="jane"), 1, timedelta(minutes=1)),
        (failed_execution(count=4), 1, timedelta(minutes=1)),
        (
            make_execution("ok", phase=Phase.COMPLETED, number=2, completed_at=LATER),
            1,
            timedelta(minutes=1),
        ),
    ],
)
def test_a_failure_is_counted_from_the_one_before(
    before: Execution | None, failures: int, again: timedelta | None
) -> None:
    last = ending_of_execution(before, NOW) if before else None
    outcome = counted(refusal(), last, RETRIES, COOLDOWN, NOW)
    status = status_for(parse_status({}), outcome, generation=1, now=NOW)
    assert status.consecutive_failures == failures
    assert status.next_allowed_execution == (NOW + again if again else None)


def test_what_is_no_such_failure_is_not_counted() -> None:
    for outcome in (refusal(has_begun=True), Outcome(phase=Phase.RUNNING, reason="", message="")):
        assert counted(outcome, None, RETRIES, COOLDOWN, NOW) == outcome
    assert counted(refusal(), None, FAILED, COOLDOWN, NOW) == refusal()


def test_a_failed_run_may_be_tried_again_when_its_cooldown_is_over() -> None:
    run = failed_run(completed_at=NOW)
    outcome = counted(replace(refusal(), run=run), None, RETRIES, COOLDOWN, NOW)
    assert outcome.next_allowed_at == NOW + COOLDOWN


def test_a_skip_says_which_failure_and_how_to_clear_it() -> None:
    at_work = decided(FAILED, failed_execution())
    details = outcome_of_skip(at_work, NOW).skip
    assert details is not None
    assert details.recent_remediation is not None
    assert details.recent_remediation.name == "failed"
    assert details.recent_remediation.outcome == "Failed"
    assert details.recent_remediation.target_resource == TARGET
    assert details.recent_remediation.cooldown_remaining is None
    assert details.message.endswith("kubectl wfe clear -n team-a failed")
    exhausted = outcome_of_skip(decided(RETRIES, failed_execution(had_begun=False, count=5)), NOW)
    assert "failed 5 times in a row before it began" in exhausted.message
    assert (exhausted.failures, exhausted.next_allowed_at) == (5, None)


@given(
    had_begun=st.sampled_from([True, False, None]),
    count=st.integers(0, 9),
    minutes=st.integers(0, 30),
    number=st.sampled_from([None, 1]),
)
def test_with_the_guards_off_nothing_is_decided_otherwise(
    had_begun: bool | None, count: int, minutes: int, number: int | None
) -> None:
    """Facts in a status beyond the end of its run do not change the verdict."""
    given = {"completed_at": ago(minutes=minutes), "number": number}
    told = failed_execution(had_begun=had_begun, count=count, **given)  # type: ignore[arg-type]
    plain = failed_execution(had_begun=None, **given)  # type: ignore[arg-type]
    assert decided(Guards(), told) == decided(Guards(), plain)

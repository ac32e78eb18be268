"""A failure says when its workflow may run again, and what lifts that earlier."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from builders import NOW, TARGET, ago, make_execution, make_failure, make_run
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards, advised
from workflowexecution.core.status.outcome import Outcome, outcome_of_failure, outcome_of_run

FIVE: Final = timedelta(minutes=5)
OFF: Final = Guards()
CLEAR: Final = "kubectl wfe clear -n team-a mine"
LOOKED: Final = f"to lift that earlier, once somebody has looked: {CLEAR}"
WITHOUT_RUN: Final = make_execution("mine")
WITH_RUN: Final = make_execution("mine", phase=Phase.RUNNING, number=1, started_at=ago(minutes=3))


def failed_run() -> Run:
    return make_run("mine", succeeded="False", completed_at=ago(minutes=1), has_stopped=True)


def told(
    outcome: Outcome,
    *,
    execution: Execution = WITH_RUN,
    guards: Guards = OFF,
    cooldown: timedelta = FIVE,
) -> str:
    """The text that is added to the summary; the condition must have the same."""
    after = advised(outcome, execution, guards=guards, cooldown=cooldown, now=NOW)
    assert after.failure is not None
    summary = after.failure.natural_language_summary
    assert after.message.startswith(summary)
    assert replace(after, message="", failure=None) == replace(outcome, message="", failure=None)
    return summary.removeprefix("It is wrong. Correct it.").strip()


def test_after_a_run_it_names_the_end_of_the_cooldown_and_the_command() -> None:
    outcome = outcome_of_run(failed_run(), make_failure())
    assert told(outcome) == (
        f"Workflow restart may run on {TARGET} again from 2026-01-02 12:04:00 UTC; {LOOKED}"
    )


def test_without_a_run_nothing_cools_down() -> None:
    assert told(outcome_of_failure(make_failure()), execution=WITHOUT_RUN) == ""


def test_without_a_cooldown_there_is_nothing_to_wait_for() -> None:
    assert told(outcome_of_run(failed_run(), make_failure()), cooldown=timedelta(0)) == ""


def test_where_the_run_may_still_execute_the_moment_is_the_earliest() -> None:
    assert told(outcome_of_failure(make_failure(has_begun=True))) == (
        f"Workflow restart may run on {TARGET} again not before 2026-01-02 12:05:00 UTC; {LOOKED}"
    )


def test_the_moment_is_never_too_early() -> None:
    late = replace(failed_run(), completed_at=ago(minutes=1, microseconds=-1))
    assert "12:04:01 UTC" in told(outcome_of_run(late, make_failure()))


@pytest.mark.parametrize(
    ("guards", "begun", "failures", "is_blocked"),
    [
        (Guards(failed=True), True, None, True),
        (Guards(failed=True), False, None, False),
        (Guards(retry_limit=3), False, 3, True),
        (Guards(retry_limit=3), False, 2, False),
        (Guards(retry_limit=3), True, None, False),
    ],
)
def test_where_a_guard_blocks_it_names_no_moment(
    guards: Guards, begun: bool, failures: int | None, is_blocked: bool
) -> None:
    outcome = replace(
        outcome_of_run(failed_run(), make_failure(has_begun=begun)), failures=failures
    )
    blocked = (
        f"Workflow restart does not run on {TARGET} again before a person has cleared this: {CLEAR}"
    )
    assert (told(outcome, guards=guards) == blocked) is is_blocked


def test_a_pause_after_a_refusal_is_named() -> None:
    outcome = replace(
        outcome_of_failure(make_failure()), failures=1, next_allowed_at=NOW + timedelta(minutes=1)
    )
    said = told(outcome, execution=WITHOUT_RUN, guards=Guards(retry_limit=3))
    assert said.startswith(f"Workflow restart may run on {TARGET} again from 2026-01-02 12:01:00 ")


def test_what_is_no_failure_stays_as_it_is() -> None:
    outcome = Outcome(phase=Phase.COMPLETED, reason="Completed", message="done", run=failed_run())
    assert advised(outcome, WITH_RUN, guards=OFF, cooldown=FIVE, now=NOW) is outcome

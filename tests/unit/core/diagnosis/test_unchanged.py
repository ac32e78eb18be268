"""People get no warning about the target where a workflow says that it has changed nothing."""

from dataclasses import replace
from typing import Any, Final

import pytest

from builders import TARGET, ago, make_execution, make_run, raw_task_run, step
from workflowexecution.core.diagnosis.diagnose import Diagnosis, diagnose
from workflowexecution.core.diagnosis.summary import details_of, note_of
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind, TaskRun, parse_child, parse_task_run

FALSE, TRUE = "false", "true"
SAID: Final = "Nothing was changed, as the step says."
ALARM: Final = f"Steps had started, so {TARGET} may have been changed."


def said(item: dict[str, Any], changed: str) -> dict[str, Any]:
    """A step that has ended, with this value of the result."""
    item["terminated"]["message"] = f'[{{"key": "changed", "value": "{changed}", "type": 1}}]'
    return item


def ended(
    *steps: dict[str, Any], task: str = "work", succeeded: str = "False", **given: Any
) -> TaskRun:
    return parse_task_run(raw_task_run(task, succeeded, steps=steps, **given))


CHECKED = said(step("check", 4), FALSE)
SKIPPED = step("change", 1, termination="Skipped")
GOOD = ended(said(step("look", 0), FALSE), task="look", succeeded="True", reason="Succeeded")
BAD = ended(CHECKED, SKIPPED)


def failed_run(tasks: int = 1) -> Run:
    return make_run(
        "mine",
        succeeded="False",
        reason="Failed",
        message=f"Tasks Completed: {tasks} (Failed: 1, Cancelled 0), Skipped: 0",
        completed_at=ago(minutes=1),
    )


def told(found: Diagnosis) -> str:
    """The sentence of the summary about the target; the Event for others must have the same."""
    execution = make_execution()
    details = details_of(found, execution, started_at=ago(minutes=2), failed_at=ago(minutes=1))
    assert details.was_execution_failure is True
    summary = str(details.natural_language_summary)
    known = [sentence for sentence in (SAID, ALARM) if sentence in summary]
    assert [sentence for sentence in (SAID, ALARM) if sentence in note_of(details, execution)] == (
        known
    )
    (sentence,) = known
    return sentence


def test_a_check_that_failed_before_any_change_raises_no_alarm() -> None:
    assert told(diagnose(failed_run(), [BAD])) == SAID


def test_every_task_that_has_begun_must_say_it() -> None:
    silent = ended(step("look", 0), task="look", succeeded="True", reason="Succeeded")
    assert told(diagnose(failed_run(2), [GOOD, BAD])) == SAID
    assert told(diagnose(failed_run(2), [silent, BAD])) == ALARM
    never = ended(step("wait", waiting={}), task="never")
    assert told(diagnose(failed_run(2), [BAD, never])) == SAID


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([step("check", 4), SKIPPED], id="an-exit-code-alone-means-nothing"),
        pytest.param([CHECKED, step("change", 1)], id="a-later-step-has-begun-and-is-silent"),
        pytest.param([CHECKED, said(step("change", 5), TRUE)], id="a-later-step-changed-something"),
        pytest.param([CHECKED, step("change", running={"startedAt": "x"})], id="one-still-works"),
        pytest.param([said(step("check", 4), "no")], id="another-word"),
    ],
)
def test_what_is_not_said_is_not_known(steps: list[dict[str, Any]]) -> None:
    assert told(diagnose(failed_run(), [ended(*steps)])) == ALARM


def test_the_last_step_that_has_begun_may_take_back_what_one_before_it_said() -> None:
    refused = said(step("change", 5), FALSE)
    assert told(diagnose(failed_run(), [ended(said(step("check", 0), TRUE), refused)])) == SAID


def test_an_earlier_attempt_counts_as_well() -> None:
    silent = ended(step("check", 4))
    assert told(diagnose(failed_run(), [replace(BAD, earlier=(silent,))])) == ALARM
    assert told(diagnose(failed_run(), [replace(BAD, earlier=(BAD,))])) == SAID


def test_what_is_not_seen_says_nothing() -> None:
    """A task that somebody has deleted, and steps that only their pods have shown."""
    assert told(diagnose(failed_run(2), [BAD])) == ALARM
    assert told(diagnose(failed_run(0), [], has_started=True)) == ALARM
    uncounted = replace(failed_run(), message="it took too long", completed_tasks=0)
    assert told(diagnose(uncounted, [BAD])) == ALARM


def test_a_step_cannot_say_it_in_its_message() -> None:
    task = replace(ended(step("check", 4)), own_message=SAID)
    details = details_of(
        diagnose(failed_run(), [task]),
        make_execution(),
        started_at=ago(minutes=2),
        failed_at=ago(minutes=1),
    )
    assert ALARM in note_of(details, make_execution())


@pytest.mark.parametrize("kind", [ChildKind.CUSTOM_RUN, ChildKind.RUN])
def test_a_task_that_others_carry_out_says_nothing(kind: ChildKind) -> None:
    raw = raw_task_run("other", steps=[CHECKED])
    assert told(diagnose(failed_run(2), [BAD, parse_child(raw, kind)])) == ALARM

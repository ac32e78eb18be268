"""The results of a workflow are read, one line each, and odd values do no harm."""

from typing import Any

import pytest

from builders import NOW, ago, make_execution, make_run, raw_run, raw_task_run, step
from workflowexecution.api.status import FailureReason
from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.diagnosis.diagnose import diagnose
from workflowexecution.core.facts.decoding import parse_run
from workflowexecution.core.facts.pipeline import failure_of, says_unchanged, text_of_results
from workflowexecution.core.facts.taskrun import parse_task_run
from workflowexecution.core.status.compose import status_for
from workflowexecution.core.status.outcome import outcome_of_run
from workflowexecution.observe.events import events_for


def _results(**values: object) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return {"results": [{"name": name, "value": value} for name, value in named.items()]}


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({}, ""),
        ({"results": "none"}, ""),
        (_results(other="1"), ""),
        (_results(after="3", before="1"), "before: 1; after: 3"),
        (_results(before="", after="done\n  at last\n"), "after: done at last"),
        (_results(found=["an", "array"]), ""),
        (_results(found="x" * 5000), f"found: {'x' * 1024}"),
    ],
)
def test_the_named_results_are_told(status: dict[str, Any], told: str) -> None:
    assert text_of_results({"status": status}) == told


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ({}, (None, "")),
        (
            _results(failure_reason="Forbidden", failure_message="may not\n"),
            (FailureReason.FORBIDDEN, "may not"),
        ),
        (_results(failure_reason="Odd", failure_message="so"), (None, "so")),
    ],
)
def test_a_failure_is_classed_by_known_reasons_only(
    status: dict[str, Any], failure: tuple[FailureReason | None, str]
) -> None:
    assert failure_of(status) == failure


def test_what_a_run_tells_reaches_the_condition_but_no_event() -> None:
    ended = {"conditions": [{"type": "Succeeded", "status": "True", "message": "Tasks: 1"}]}
    run = parse_run(raw_run("mine", status={**ended, **_results(before="1", after="3")}))
    assert run is not None

    before = WorkflowExecutionStatus()
    after = status_for(before, outcome_of_run(run, None), generation=1, now=NOW)

    assert after.conditions[0].message == "before: 1; after: 3"
    assert after.pipeline_run_status is not None
    assert after.pipeline_run_status.message == "Tasks: 1"
    notes = [event["note"] for event in events_for(make_execution(), before, after, now=NOW)]
    assert notes[-1] == "Tasks: 1"


def test_the_words_and_class_of_the_step_itself_are_used() -> None:
    raw = raw_task_run(steps=(step("change", 13),))
    raw["status"] |= _results(failure_reason="Forbidden", failure_message="may not patch")
    task = parse_task_run(raw)
    run = make_run("mine", succeeded="False", reason="Failed", completed_at=ago(minutes=1))

    found = diagnose(run, [task])

    assert found.reason is FailureReason.FORBIDDEN
    assert found.message.endswith("step 'change' ended with exit code 13: may not patch")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('[{"key": "changed", "value": "false", "type": 1}]', True),
        ('[{"key": "changed", "value": " false\\n"}, {"key": "after", "value": "1"}]', True),
        ('[{"key": "changed", "value": "true"}]', False),
        ('[{"key": "changed", "value": "False"}]', False),
        ('[{"key": "changed", "value": "no"}]', False),
        ('[{"key": "changed", "value": false}]', False),
        ('[{"key": "changed", "value": ["false"]}]', False),
        ('[{"key": "other", "value": "false"}]', False),
        ("Step check terminated as pod b is terminated", False),
        ("false", False),
        ("", False),
    ],
)
def test_only_the_word_false_says_that_nothing_was_changed(message: str, expected: bool) -> None:
    assert says_unchanged({"terminated": {"message": message}}) is expected


def test_a_step_that_does_not_say_it_does_not_take_it_from_the_tasks_results() -> None:
    """Tekton gives a task the result of its last step that wrote one, which later steps undo."""
    assert says_unchanged({"running": {}}) is False
    assert says_unchanged({}) is False


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('[{"key": "failure-reason", "value": "Forbidden", "type": 1}]', FailureReason.FORBIDDEN),
        ('[{"key": "failure-reason", "value": 7}, 7, null]', None),
        ('{"key": "failure-reason", "value": "Forbidden"}', None),
        ("Step a terminated as pod b is terminated", None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_a_step_says_why_it_failed_where_tekton_takes_over_no_results(
    message: str, expected: FailureReason | None
) -> None:
    status = {"steps": [{"terminated": {"message": message}}, {"running": {}}]}
    assert failure_of(status)[0] is expected
    own = _results(failure_reason="OOMKilled")["results"]
    assert failure_of({**status, "results": own})[0] is FailureReason.OOM_KILLED

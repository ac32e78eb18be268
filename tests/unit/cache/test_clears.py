"""A person has cleared a failure: it and all failures before it start no cooldown any more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from builders import NOW, RUN_NAMESPACE, ago, failed_execution, finished_run, make_execution
from builders import make_run as any_run
from workflowexecution.api.status import SkipReason
from workflowexecution.cache.store import Store
from workflowexecution.core.decision import decide
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Guards
from workflowexecution.core.verdict import Launch, Skip

COOLDOWN: Final = timedelta(minutes=5)
Object = Execution | Run


def failure(number: int = 1, minutes: float = 2, owner: str = "failed", **given: Any) -> Run:
    """A run that has failed and stopped."""
    run = any_run(
        owner,
        number=number,
        succeeded="False",
        has_stopped=True,
        created_at=ago(minutes=20),
        completed_at=ago(minutes=minutes),
        tasks=("change",),
        **given,
    )
    return run


def cleared(run: Run) -> Run:
    """The same run with the note of a person."""
    return replace(run, is_cleared=True)


def refused(minutes: float = 1, note: str | None = None) -> Execution:
    """An execution that failed before a run was made."""
    return failed_execution(
        "refused", had_begun=False, completed_at=ago(minutes=minutes), cleared=note
    )


def store_of(seen: Sequence[Object]) -> Store:
    store = Store(RUN_NAMESPACE)
    for item in seen:
        take_in(store, item)
    return store


def take_in(store: Store, item: Object) -> None:
    if isinstance(item, Run):
        store.observe_run(item, now=NOW)
    else:
        store.observe_execution(item, now=NOW)


def cools_down_after(store: Store) -> str:
    """Name of the execution that keeps the next one from running; empty where it may run."""
    snapshot = store.snapshot(
        make_execution("next"),
        problem="",
        cooldown=COOLDOWN,
        deadline_grace=COOLDOWN,
        holds=(),
        guards=Guards(),
        now=NOW,
    )
    verdict = decide(snapshot)
    if isinstance(verdict, Launch):
        assert store.targets.ends() == []
        return ""
    assert isinstance(verdict, Skip)
    assert verdict.reason is SkipReason.RECENTLY_REMEDIATED
    return verdict.evidence.name


def by_status(note: str | None = None, **given: Any) -> Execution:
    """The execution of ``failure()``, which its status reports."""
    return failed_execution(number=1, completed_at=ago(minutes=2), cleared=note, **given)


@pytest.mark.parametrize(
    ("seen", "blocker"),
    [
        pytest.param([failure()], "failed", id="not-cleared"),
        pytest.param([cleared(failure())], "", id="on-the-run"),
        pytest.param([by_status("jane: looked")], "", id="on-the-execution"),
        pytest.param([by_status("jane: looked"), failure()], "", id="on-the-execution-alone"),
        pytest.param([by_status(), cleared(failure())], "", id="on-the-run-alone"),
        pytest.param([by_status(" "), failure()], "failed", id="by-nobody"),
        pytest.param(
            [by_status("jane"), failure(2, 1, "newer")], "newer", id="it-failed-again-since"
        ),
        pytest.param(
            [failure(1, 3, "older"), cleared(failure(2, 2, "newer"))], "", id="and-all-before-it"
        ),
        pytest.param(
            [cleared(failure()), failure(2, owner="newer")], "newer", id="and-in-the-same-second"
        ),
        pytest.param(
            [cleared(failure(owner="z-failed")), failure(2, owner="newer")],
            "newer",
            id="and-in-the-same-second-whatever-its-name",
        ),
        pytest.param([failure(), refused(1)], "failed", id="a-refusal-alone-changes-nothing"),
        pytest.param([failure(), refused(1, "jane")], "", id="a-refusal-after-it-was-cleared"),
        pytest.param(
            [finished_run("good", completed_at=ago(minutes=2)), refused(1, "jane")],
            "good",
            id="a-success-before-it-cools-down",
        ),
        pytest.param(
            [replace(finished_run("good", completed_at=ago(minutes=2)), is_cleared=True)],
            "good",
            id="a-success-cannot-be-cleared",
        ),
        pytest.param(
            [cleared(failure(workflow_id="scale")), failure(2)], "failed", id="of-another-workflow"
        ),
        pytest.param(
            [cleared(replace(failure(), target=None)), by_status()], "", id="a-run-without-target"
        ),
    ],
)
def test_a_failure_that_was_cleared_starts_no_cooldown(
    seen: Sequence[Object], blocker: str
) -> None:
    for order in (seen, seen[::-1]):
        assert cools_down_after(store_of(order)) == blocker


def test_the_end_that_the_run_shows_later_is_cleared_with_its_execution() -> None:
    """Tekton's clock may be ahead: the run then seems to end when it is seen."""
    late = replace(failure(), completed_at=None)
    assert cools_down_after(store_of([by_status("jane"), late])) == ""


@pytest.mark.parametrize("version", [2, 10])
def test_a_clear_and_its_withdrawal_are_taken_in(version: int) -> None:
    store = store_of([by_status(version=1)])
    assert cools_down_after(store) == "failed"
    take_in(store, by_status("jane", version=version))
    assert cools_down_after(store) == ""
    take_in(store, by_status(version=version + 1))
    assert cools_down_after(store) == "failed"


def test_a_clear_on_a_run_that_was_let_go_is_taken_in() -> None:
    store = store_of([failure(version=1), by_status()])
    assert store.runs() == []
    take_in(store, replace(cleared(failure(version=2)), has_stopped=False))
    assert cools_down_after(store) == ""
    take_in(store, failure(version=3))
    assert cools_down_after(store) == "failed"


def test_a_clear_is_kept_no_longer_than_the_end_it_is_about() -> None:
    store = store_of([cleared(failure(minutes=6)), by_status("jane")])
    assert len(store.targets) == 1
    store.targets.forget_ends(NOW)
    assert len(store.targets) == 0

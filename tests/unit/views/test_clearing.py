"""The answer to a clear is true in every case in which a person can clear something."""

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    NOW,
    RUN_NAMESPACE,
    TARGET,
    ago,
    failed_execution,
    finished_run,
    make_execution,
    make_run,
)
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.hold import Hold, parse_hold
from workflowexecution.core.facts.run import Run
from workflowexecution.core.guards import Ending
from workflowexecution.views.clearing import (
    cleared_message,
    ends_to_clear,
    execution_of,
    nothing_to_clear,
    with_note,
)
from workflowexecution.views.preview import Facts, ending_on

MAY_RUN = f"workflow restart may run on target {TARGET} again"
LIFTED = f"the failure no longer keeps workflow restart from target {TARGET}"


def failed_run(number: int = 1, minutes: int = 2, owner: str = "failed", **given: Any) -> Run:
    return make_run(
        owner,
        number=number,
        succeeded="False",
        has_stopped=True,
        created_at=ago(minutes=20),
        completed_at=ago(minutes=minutes),
        **given,
    )


REFUSED = failed_execution("refused", had_begun=False, completed_at=ago(minutes=1))
FAILED = failed_execution(number=1, completed_at=ago(minutes=2))


def facts_of(*items: Execution | Run) -> Facts:
    return Facts(
        executions=tuple(item for item in items if isinstance(item, Execution)),
        runs=tuple(item for item in items if isinstance(item, Run)),
    )


def last_of(facts: Facts) -> Ending:
    last = ending_on(facts, TARGET, "restart", RUN_NAMESPACE, NOW)
    assert last is not None
    return last


def told(facts: Facts, holds: tuple[Hold, ...] = (), unread: tuple[str, ...] = ()) -> str:
    last = last_of(facts)
    after = with_note(facts, ends_to_clear(facts, last, NOW), "jane: looked")
    assert not last_of(after).blocks
    return cleared_message(after, last.evidence, holds=holds, unread=unread, now=NOW)


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        pytest.param(facts_of(FAILED, failed_run()), ["failed"], id="both"),
        pytest.param(facts_of(failed_run()), ["failed"], id="the-run-alone"),
        pytest.param(facts_of(FAILED), ["failed"], id="the-execution-alone"),
        pytest.param(facts_of(REFUSED), ["refused"], id="no-run-was-made"),
        pytest.param(facts_of(FAILED, REFUSED), ["refused", "failed"], id="a-refusal-after-a-run"),
    ],
)
def test_afterwards_the_workflow_may_run(facts: Facts, names: list[str]) -> None:
    assert [end.name for end in ends_to_clear(facts, last_of(facts), NOW)] == names
    assert told(facts) == MAY_RUN


def test_the_cooldown_after_a_success_before_a_refusal_stays() -> None:
    good = finished_run("good", completed_at=ago(minutes=3))
    facts = facts_of(good, REFUSED)
    assert [end.name for end in ends_to_clear(facts, last_of(facts), NOW)] == ["refused"]
    assert told(facts) == (
        f"{LIFTED}, but a cooldown after the success of team-a/good, which ended at 11:57:00 UTC, "
        "is not lifted"
    )


def test_a_target_that_is_busy_is_named() -> None:
    busy = make_run("other", number=2, workflow_id="scale", started_at=ago(minutes=1))
    said = told(facts_of(FAILED, busy))
    assert said.startswith(f"{LIFTED}, but it may not run yet: target {TARGET} is being changed by")


def test_a_hold_is_named_and_so_is_the_right_to_see_holds() -> None:
    hold = parse_hold(
        {
            "metadata": {
                "name": "release",
                "namespace": "runs",
                "uid": "h",
                "resourceVersion": "1",
            },
            "spec": {"everything": True, "reason": "release of the shop", "heldBy": "jane"},
        }
    )
    assert "release of the shop" in told(facts_of(FAILED), holds=(hold,))
    assert told(facts_of(FAILED), unread=("the right is missing",)) == (
        f"{LIFTED}; whether a hold does is not known: the right is missing"
    )


def test_nothing_but_a_failure_is_cleared() -> None:
    good = make_execution("good", phase=Phase.COMPLETED, number=1, completed_at=ago(minutes=1))
    cleared = replace(last_of(facts_of(FAILED)), is_cleared=True)
    who = f"workflow restart ended last on target {TARGET} with team-a/"
    assert nothing_to_clear(None, TARGET, "restart") == (
        f"no end of workflow restart on target {TARGET} is known: nothing to clear"
    )
    assert nothing_to_clear(cleared, TARGET, "restart") == f"{who}failed, which is cleared already"
    assert nothing_to_clear(last_of(facts_of(good)), TARGET, "restart") == (
        f"{who}good, which ended as Completed: only a failure can be cleared, and the cooldown "
        "after a success stays"
    )


def test_an_execution_that_is_gone_is_not_found() -> None:
    facts = facts_of(FAILED, failed_run(2, 1, "gone"))
    assert execution_of(facts, last_of(facts).evidence) is None
    assert execution_of(facts_of(FAILED), last_of(facts_of(FAILED)).evidence) == FAILED

"""A preview decides like the operator, and explains the decision."""

from dataclasses import replace
from datetime import timedelta
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
from workflowexecution.api.status import FailureReason, Phase
from workflowexecution.core import names
from workflowexecution.core.diagnosis.diagnose import Diagnosis
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, Cause
from workflowexecution.core.diagnosis.summary import details_of
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.guards import Guards
from workflowexecution.views.preview import Facts, Preview, preview
from workflowexecution.views.why import why_of


def foretell(facts: Facts, **given: Any) -> Preview:
    return preview(
        facts,
        **{
            "namespace": "team-a",
            "target": TARGET,
            "workflow_id": "restart",
            "problem": "",
            "cooldown": timedelta(minutes=5),
            "run_namespace": RUN_NAMESPACE,
            "now": NOW,
            **given,
        },
    )


def test_a_free_target_takes_the_next_slot() -> None:
    found = foretell(Facts(runs=(finished_run(number=4),)))
    assert (found.decision, found.run) == ("Launch", names.run_name(TARGET, 5))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(runs=(make_run("a"),)), "ResourceBusy"),
        (Facts(runs=(make_run(None, name="by-hand", workflow_id=None),)), "ResourceBusy"),
        (Facts(executions=(make_execution("b", phase=Phase.RUNNING, number=2),)), "ResourceBusy"),
        (Facts(runs=(finished_run(completed_at=ago(minutes=4)),)), "RecentlyRemediated"),
        (
            Facts(
                executions=(
                    make_execution("c", phase=Phase.FAILED, number=1, completed_at=ago(minutes=1)),
                ),
                runs=(
                    make_run(
                        "c",
                        succeeded="False",
                        completed_at=ago(minutes=1),
                        has_stopped=True,
                    ),
                ),
            ),
            "RecentlyRemediated",
        ),
        (
            Facts(runs=(make_run("d", succeeded="False", completed_at=ago(minutes=9)),)),
            "ResourceBusy",
        ),
    ],
)
def test_a_target_that_is_not_free_is_skipped(facts: Facts, reason: str) -> None:
    found = foretell(facts)
    assert (found.decision, found.reason) == ("Skip", reason)
    assert found.skip is not None
    assert found.message == found.skip.message


def test_another_workflow_or_target_is_not_concerned() -> None:
    cooling = Facts(runs=(finished_run(completed_at=ago(minutes=4)),))
    assert foretell(cooling, workflow_id="scale").decision == "Launch"
    assert foretell(cooling, target="payment/Deployment/other").decision == "Launch"
    assert foretell(cooling, cooldown=timedelta(minutes=4)).decision == "Launch"


def test_a_problem_is_told_before_anything_else() -> None:
    found = foretell(Facts(runs=(make_run("a"),)), problem="spec.x: is wrong")
    assert (found.decision, found.reason) == ("Refuse", "ConfigurationError")
    assert found.message == "spec.x: is wrong"


def skipped(reason: str) -> Execution:
    known = make_execution("mine", phase=Phase.SKIPPED, completed_at=ago(minutes=1))
    details = {"reason": reason, "message": f"because of {reason}"}
    blocker = {"conflictingWorkflow": {"name": "a", "namespace": "team-a"}}
    status = {"phase": "Skipped", "skipDetails": {**details, **blocker}}
    return replace(known, raw={**known.raw, "status": status})


def test_why_tells_the_reason_its_meaning_and_what_to_do() -> None:
    found = why_of(skipped("ResourceBusy"), None, NOW)
    assert (found.reason, found.because_of) == ("ResourceBusy", "team-a/a")
    assert found.happened == "because of ResourceBusy"
    assert found.means.startswith("Nothing was run")
    assert found.to_do.startswith("Treat it as a duplicate")
    assert (found.again, found.may_run_now) == ("", None)


@pytest.mark.parametrize("cause", [None, *Cause])
def test_why_advises_what_the_summary_of_a_failure_advises(cause: Cause | None) -> None:
    """Also where it fits the failure's cause and not its reason alone."""
    execution = make_execution()
    found = Diagnosis(reason=FailureReason.IMAGE_PULL_BACK_OFF, cause=cause, message="x")
    details = details_of(found, execution, started_at=ago(minutes=1), failed_at=NOW)
    failure = details.model_dump(mode="json", by_alias=True, exclude_none=True)
    status = {"phase": "Failed", "failureDetails": failure}
    failed = replace(execution, phase=Phase.FAILED, raw={**execution.raw, "status": status})
    why = why_of(failed, None, NOW)
    expected = CAUSES[cause] if cause else FAILURES[FailureReason.IMAGE_PULL_BACK_OFF]
    assert (why.means, why.to_do) == (expected.means, expected.to_do)


@pytest.mark.parametrize(
    ("facts", "problem", "again"),
    [
        (Facts(), "", "now"),
        (Facts(), "spec.x: is wrong", "not with this spec: spec.x: is wrong"),
        (
            Facts(runs=(finished_run(completed_at=ago(minutes=4)),)),
            "",
            "in 60s, at 12:01:00 UTC",
        ),
        (
            Facts(executions=(failed_execution(number=1, completed_at=ago(minutes=4)),)),
            "",
            "in 60s, at 12:01:00 UTC; earlier once a person clears it: "
            "kubectl wfe clear -n team-a failed",
        ),
        (
            Facts(
                executions=(
                    failed_execution(number=1, completed_at=ago(minutes=4), cleared="jane: looked"),
                )
            ),
            "",
            "now",
        ),
        (
            Facts(runs=(make_run("a"),)),
            "",
            "once team-a/a has ended; its cooldown begins then",
        ),
        (Facts(runs=(make_run("a", workflow_id="scale"),)), "", "once team-a/a has ended"),
        (Facts(runs=(make_run("mine"),)), "", "once it has ended; its cooldown begins then"),
    ],
)
def test_why_tells_when_the_same_may_run(facts: Facts, problem: str, again: str) -> None:
    found = why_of(skipped("ResourceBusy"), foretell(facts, problem=problem), NOW)
    assert found.again == again


def test_an_execution_that_nobody_has_seen_says_so() -> None:
    found = why_of(make_execution(), None, NOW)
    assert (found.phase, found.reason) == ("", "")
    assert "has not seen it" in found.happened


def why(reason: str, foretold: Preview) -> tuple[str, str, str]:
    found = why_of(skipped(reason), foretold, NOW)
    return found.means, found.to_do, found.again


GUARDED = {"guards": Guards(failed=True), "cooldown": timedelta(0)}


def test_why_asks_for_no_clear_once_it_is_cleared() -> None:
    """The advice and the time at which the same may run never contradict each other."""
    reason = "PreviousExecutionFailed"
    at: dict[str, Any] = {"completed_at": ago(minutes=9), "number": 1}
    failed = failed_execution(**at)
    means, to_do, again = why(reason, foretell(Facts(executions=(failed,)), **GUARDED))
    assert to_do.endswith("then clear it: kubectl wfe clear -n team-a failed")
    assert again.startswith("once a person clears it: kubectl wfe clear")

    cleared = Facts(executions=(failed_execution(**at, cleared="jane: looked"),))
    over = "Nothing was run; what this was skipped for is over."
    means, to_do, again = why(reason, foretell(cleared, **GUARDED))
    assert (means, again) == (over, "now")
    assert "clear" not in to_do
    later = make_execution("b", phase=Phase.COMPLETED, completed_at=ago(seconds=30), number=2)
    since = {**GUARDED, "cooldown": timedelta(minutes=1)}
    means, to_do, again = why(reason, foretell(Facts(executions=(failed, later)), **since))
    assert (means, again) == (over, "in 30s, at 12:00:30 UTC")
    assert "clear" not in to_do


def test_why_waits_for_no_cooldown_that_is_over() -> None:
    _, to_do, again = why("RecentlyRemediated", foretell(Facts()))
    assert (to_do, again) == ("Create a new execution if it is still needed.", "now")


def test_why_invents_nothing_where_the_decision_is_not_known() -> None:
    unknown = Preview(
        target=TARGET, workflow_id="restart", decision="Unknown", reason="", message="no settings"
    )
    found = why_of(skipped("RecentlyRemediated"), unknown, NOW)
    assert (found.again, found.may_run_now, found.until) == ("unknown: no settings", None, None)
    assert "Wait until the cooldown is over" in found.to_do

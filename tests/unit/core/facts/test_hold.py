"""A hold has a scope and an end; one that cannot be understood holds everything."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

import hostile
from builders import NAMESPACE, NOW, TARGET, make_execution, make_hold, raw_hold
from workflowexecution.api import identity
from workflowexecution.api.reading import format_time
from workflowexecution.core.facts.hold import (
    Hold,
    Release,
    hold_on,
    parse_hold,
    parse_release,
)
from workflowexecution.plugin.commands.holds import release_event

MINE = make_execution()


def holds(**spec: Any) -> bool:
    return hold_on([make_hold(**spec)], MINE, NOW) is not None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"everything": True}, True, id="everything"),
        pytest.param({"namespace": NAMESPACE}, True, id="the-namespace-it-is-in"),
        pytest.param({"namespace": "payment"}, True, id="the-namespace-its-target-is-in"),
        pytest.param({"namespace": "Deployment"}, False, id="a-kind-is-no-namespace"),
        pytest.param({"targetResource": TARGET}, True, id="its-target"),
        pytest.param({"targetResource": f"{TARGET}-2"}, False, id="another-target"),
        pytest.param({"targetResource": TARGET.lower()}, True, id="its-kind-in-another-case"),
        pytest.param({"targetResource": "payment/deployments/payment-api"}, False, id="a-plural"),
        pytest.param({"workflowId": "restart"}, True, id="its-workflow"),
        pytest.param({"workflowId": "scale"}, False, id="another-workflow"),
        pytest.param({"workflowId": "restart", "namespace": "payment"}, True, id="both"),
        pytest.param({"workflowId": "restart", "namespace": "other"}, False, id="one-of-both"),
    ],
)
def test_what_is_held(spec: dict[str, Any], expected: bool) -> None:
    assert holds(**spec) is expected


def test_a_target_without_a_namespace_is_in_none() -> None:
    node = make_execution(target="Node/worker-1")
    assert hold_on([make_hold(namespace="Node")], node, NOW) is None
    assert hold_on([make_hold(targetResource="Node/worker-1")], node, NOW) is not None


@pytest.mark.parametrize(("after", "expected"), [(1, True), (0, False), (-1, False)])
def test_it_ends_to_the_second(after: int, expected: bool) -> None:
    assert holds(expiresAt=format_time(NOW + timedelta(seconds=after))) is expected


def test_of_several_the_one_that_lasts_longest_is_told() -> None:
    soon = make_hold("soon", expiresAt=format_time(NOW + timedelta(hours=1)))
    later = make_hold("later", expiresAt=format_time(NOW + timedelta(hours=2)))
    for_ever = make_hold("for-ever")
    assert hold_on([soon, later], MINE, NOW) == later
    assert hold_on([for_ever, soon, later], MINE, NOW) == for_ever
    assert hold_on([later, soon], MINE, NOW + timedelta(hours=1)) == later


def test_it_says_who_and_why_and_until_when() -> None:
    hold = make_hold(expiresAt="2026-01-02T13:00:00Z", workflowId="restart", namespace="payment")
    assert hold.describe() == (
        "held by jane since 2026-01-02T11:00:00Z, until 2026-01-02T13:00:00Z: release "
        "(WorkflowHold kubernaut-workflows/freeze, namespace payment, workflow restart)"
    )
    assert "until it is deleted: release" in make_hold().describe()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.reason"),
        ({"reason": "x", "heldBy": "jane"}, "say what is held"),
        ({"reason": "x", "heldBy": "jane", "everything": True, "workflowId": "a"}, "nothing else"),
        ({"reason": "x", "heldBy": "jane", "everything": True, "expiresAt": "soon"}, "'soon'"),
        ({"reason": "x", "heldBy": "jane", "targetResource": "payment"}, "is not a target"),
        (
            {"reason": "x", "heldBy": "jane", "expiresAt": "9999-12-31T23:59:59-14:00"},
            "is out of range",
        ),
        (
            {"reason": "x", "heldBy": "jane", "targetResource": "a/Deployment/web-*"},
            "'a/Deployment/web-*' is not a target",
        ),
        ("everything", "spec"),
    ],
)
def test_one_that_cannot_be_understood_holds_everything_and_says_so(
    spec: object, said: str
) -> None:
    hold = parse_hold({"metadata": raw_hold()["metadata"], "spec": spec})
    assert hold_on([hold], MINE, NOW) == hold
    assert "freeze cannot be understood, so it holds everything" in hold.describe()
    assert said in hold.describe()


def test_where_holds_cannot_be_read_nothing_is_launched() -> None:
    hold = Hold(problem="the watch of workflowholds is silent")
    assert hold_on([hold], MINE, NOW) == hold
    assert hold.describe().startswith("nothing is launched while holds cannot be read: the watch")


@given(spec=hostile.values)
def test_nothing_that_is_stored_as_a_hold_is_taken_for_none(spec: object) -> None:
    """Either it is understood, or it holds everything."""
    hold = parse_hold({"metadata": raw_hold()["metadata"], "spec": spec})
    assert hold.problem
    assert hold.scope == "everything"


def event_of(by: str = "ada", **changed: Any) -> dict[str, Any]:
    hold = raw_hold("freeze", workflowId="restart")
    event = release_event(hold, by, NOW)
    event["metadata"]["annotations"] |= changed
    return event


def test_a_release_is_read_as_it_was_recorded() -> None:
    event = event_of()
    assert event["regarding"]["kind"] == "WorkflowHold"
    assert event["note"].startswith("released by ada: held by jane")
    hold = parse_hold(raw_hold("freeze", workflowId="restart"))
    assert parse_release(event) == Release(hold, "ada", NOW)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 5000, "{}", '{"spec": {"everything": "no"}}', '{"spec": null}']
)
def test_an_event_that_tells_of_no_hold_is_none(text: str) -> None:
    assert parse_release(event_of(**{identity.RELEASED_HOLD: text})) is None
    assert parse_release(event_of(by="")) is None
    assert parse_release({"metadata": {"annotations": None}}) is None

"""The claims of a namespace and of all namespaces decide which installation serves it."""

import pytest

from workflowexecution.core.policy import (
    EVERYWHERE,
    Other,
    asked_for,
    deciding_on,
    others_among,
)


@pytest.mark.parametrize(
    ("watched", "asked", "deciding"),
    [
        ((), (EVERYWHERE,), (EVERYWHERE, "team-a")),
        (("team-a", "team-b"), ("team-a", "team-b"), ("team-a",)),
    ],
)
def test_who_serves_all_needs_a_claim_for_that_beside_each(
    watched: tuple[str, ...], asked: tuple[str, ...], deciding: tuple[str, ...]
) -> None:
    assert asked_for(watched) == asked
    assert deciding_on("team-a", watched) == deciding


def test_another_is_known_by_its_execution_namespace() -> None:
    holders = {"team-a": "runs", "team-b": "their-runs"}
    names = ("team-a", "team-b", "nobodys")
    assert others_among(names, holders, "runs") == [Other("team-b", "their-runs")]
    assert others_among(("team-a", "nobodys"), holders, "runs") == []


@pytest.mark.parametrize(
    ("namespace", "what"), [("team-a", "namespace team-a"), (EVERYWHERE, "all namespaces")]
)
def test_it_is_told_what_they_have_claimed(namespace: str, what: str) -> None:
    told = f"{what}: claimed by the installation whose runs are in runs"
    assert str(Other(namespace, "runs")) == told

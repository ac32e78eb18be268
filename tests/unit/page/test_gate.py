"""Answers about visitors are asked for once, kept for a short while, and never too many."""

from typing import Any

import pytest

from workflowexecution.page.gate import (
    ACCESS,
    MOST_NAMESPACES,
    TOKENS,
    ClusterGate,
    Visitor,
    sight_of,
    to_list_executions,
)


class ApiServer:
    """Knows one token, and lets its bearer list executions in `namespaces`."""

    def __init__(self, *namespaces: str) -> None:
        self.namespaces = namespaces
        self.audiences = ["https://kubernetes.default.svc"]
        self.asked: list[dict[str, Any]] = []

    async def request(self, method: str, path: str, *, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        if path == TOKENS:
            is_known = body["spec"]["token"] == "good"
            user = {"username": "ann", "groups": ["team-a"], "extra": {"scope": ["x"]}}
            told = {"user": user, "audiences": self.audiences} if is_known else {}
            return {"status": {"authenticated": is_known, **told}}
        assert path == ACCESS
        wanted = body["spec"]["resourceAttributes"]
        may = wanted["resource"] == "workflowexecutions"
        return {"status": {"allowed": may and wanted["namespace"] in self.namespaces}}


def gate_to(server: ApiServer) -> ClusterGate:
    return ClusterGate(server)  # type: ignore[arg-type]


async def test_a_token_is_reviewed_once_in_a_while() -> None:
    server = ApiServer()
    gate = gate_to(server)
    for _ in range(3):
        ann = await gate.visitor_of("good")
        assert ann == Visitor("ann", "", ("team-a",), (("scope", ("x",)),))
        assert await gate.visitor_of("bad") is None
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("audiences", "counts"),
    [
        (["page"], True),
        (["page", "x"], True),
        (["https://kubernetes.default.svc"], False),
        ([], False),
    ],
)
async def test_with_an_audience_only_what_is_made_for_it_counts(
    audiences: list[str], counts: bool
) -> None:
    """An authenticator that knows of no audiences answers without any."""
    server = ApiServer()
    server.audiences = audiences
    ann = await ClusterGate(server, "page").visitor_of("good")  # type: ignore[arg-type]
    assert (ann is not None) is counts
    assert server.asked[0]["spec"] == {"token": "good", "audiences": ["page"]}


async def test_without_an_audience_it_is_left_to_the_api_server() -> None:
    server = ApiServer()
    assert await gate_to(server).visitor_of("good") is not None
    assert server.asked[0]["spec"] == {"token": "good"}


@pytest.mark.parametrize("token", ["", "two words", "x" * 8000, "line\nbreak", "ü"])
async def test_what_cannot_be_a_token_is_not_even_asked_about(token: str) -> None:
    server = ApiServer()
    assert await gate_to(server).visitor_of(token) is None
    assert server.asked == []


async def test_a_visitor_is_asked_about_with_all_that_the_cluster_knows_of_them() -> None:
    server = ApiServer("team-a")
    gate = gate_to(server)
    ann = await gate.visitor_of("good")
    assert ann is not None
    assert await gate.may(ann, to_list_executions("team-a"))
    assert not await gate.may(ann, to_list_executions("team-b"))
    spec = server.asked[1]["spec"]
    assert (spec["user"], spec["groups"], spec["extra"]) == ("ann", ["team-a"], {"scope": ["x"]})


async def test_sight_is_of_the_namespaces_that_may_be_listed() -> None:
    sight = await sight_of(gate_to(ApiServer("a", "c")), Visitor("ann"), {"a", "b", "c"}, "runs")
    assert (sight.sees("a"), sight.sees("b"), sight.sees("c")) == (True, False, True)
    assert not sight.has_all
    assert not sight.sees_tasks


async def test_who_may_list_all_is_asked_about_once() -> None:
    server = ApiServer("")
    many = {f"team-{number}" for number in range(1000)}
    sight = await sight_of(gate_to(server), Visitor("ann"), many, "runs")
    assert sight.sees("team-7")
    assert sight.sees("one-of-tomorrow")
    assert len(server.asked) == 3


async def test_there_is_a_limit_to_the_namespaces_that_are_asked_about() -> None:
    server = ApiServer()
    many = {f"team-{number:04}" for number in range(1000)}
    sight = await sight_of(gate_to(server), Visitor("ann"), many, "runs")
    assert sight.is_cut
    assert len(server.asked) == 3 + MOST_NAMESPACES

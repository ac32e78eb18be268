"""Targets in both forms, and what is none."""

import pytest

from workflowexecution.api.target import TargetResource, parse_target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "payment/Deployment/payment-api",
            TargetResource("payment", "Deployment", "payment-api"),
            id="namespaced",
        ),
        pytest.param(
            "Node/worker-node-1", TargetResource("", "Node", "worker-node-1"), id="cluster-scoped"
        ),
        pytest.param("a/dEPLOYMENT/B", TargetResource("a", "dEPLOYMENT", "B"), id="casing-kept"),
    ],
)
def test_reads_a_target_and_writes_it_back(text: str, expected: TargetResource) -> None:
    parsed = parse_target(text)
    assert parsed == expected
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Deployment",
        "/",
        "a/",
        "/a",
        "a//b",
        "a/b/",
        "/a/b",
        "a/b/c/d",
        "a/b c",
        "a/\tb",
        "a/b\n",
    ],
)
def test_refuses_what_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match="is not a target; write namespace/kind/name"):
        parse_target(text)

"""Targets in both forms, and what is none."""

import pytest

from workflowexecution.api.inputs import TargetResource, parse_target


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
        pytest.param(
            "ClusterRole/system:node-proxier",
            TargetResource("", "ClusterRole", "system:node-proxier"),
            id="rbac",
        ),
        pytest.param(
            f"{'n' * 63}/{'K' * 63}/{'x' * 253}",
            TargetResource("n" * 63, "K" * 63, "x" * 253),
            id="longest",
        ),
        pytest.param("a/B2/c_d.e", TargetResource("a", "B2", "c_d.e"), id="all-characters"),
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
        "payment/Deployment/$(params.APP)",
        "payment/Deployment/web$",
        "payment/$(params.KIND)/web",
        "$(params.NS)/Deployment/web",
        "payment/Deployment/`web`",
        "payment/Deployment/*",
        "payment/Deployment/~",
        "payment/Deployment/a;b",
        "payment/Deployment/a,b",
        "payment/Deployment/a%2fb",
        "payment/Deployment/a\u200bb",
        "payment/Deployment/\uff57eb",
        "payment/Deployment/web\0",
        "payment/Pod/--all",
        "payment/Pod/.",
        "payment/Pod/..",
        "payment/deployments.apps/web",
        "payment/2Pod/web",
        "Payment/Deployment/web",
        "-payment/Deployment/web",
        "payment-/Deployment/web",
        f"{'n' * 64}/Deployment/web",
        f"payment/{'K' * 64}/web",
        f"payment/Deployment/{'x' * 254}",
    ],
)
def test_refuses_what_is_no_target(text: str) -> None:
    with pytest.raises(ValueError, match="is not a target; write namespace/kind/name"):
        parse_target(text)


def test_the_part_that_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match=r"the kind of a target is '\$\(params.KIND\)'"):
        parse_target("payment/$(params.KIND)/web")

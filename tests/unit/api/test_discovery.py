"""Whether a target names a kind that a cluster serves, in the spelling that the cluster uses."""

from __future__ import annotations

from typing import Any

import pytest

from workflowexecution.api.discovery import (
    ServedKinds,
    TargetFit,
    check_against,
    parse_kinds,
)


def served(kind: str, plural: str, scope: str = "Namespaced", *short: str) -> dict[str, Any]:
    """A resource as aggregated discovery lists it."""
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": scope,
        "singularResource": kind.lower(),
        "shortNames": list(short),
        "subresources": [{"subresource": "status", "responseKind": {"kind": kind}}],
    }


def group(name: str, *resources: dict[str, Any], freshness: str = "Current") -> dict[str, Any]:
    meta = {"name": name} if name else {}
    versions = [{"version": "v1", "resources": list(resources), "freshness": freshness}]
    return {"metadata": meta, "versions": versions}


AGGREGATED = [
    {
        "kind": "APIGroupDiscoveryList",
        "items": [group("", served("Node", "nodes", "Cluster", "no"), served("Pod", "pods"))],
    },
    {
        "kind": "APIGroupDiscoveryList",
        "items": [
            group("apps", served("Deployment", "deployments", "Namespaced", "deploy")),
            group("serving.knative.dev", served("Service", "services", "Namespaced", "ksvc")),
            group("one.example", served("Backup", "backups")),
            group("two.example", served("Backup", "backups", "Cluster")),
            group("three.example", served("HTTPThing", "httpthings")),
        ],
    },
]
LISTS = [
    {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "nodes", "singularName": "node", "kind": "Node", "namespaced": False},
            {"name": "nodes/proxy", "singularName": "", "kind": "NodeProxy", "namespaced": False},
        ],
    },
    {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [
            {
                "name": "deployments",
                "singularName": "deployment",
                "kind": "Deployment",
                "namespaced": True,
                "shortNames": ["deploy"],
            }
        ],
    },
]
KINDS = parse_kinds(AGGREGATED)


@pytest.mark.parametrize(
    "target",
    [
        "shop/Deployment/cart",
        "Node/worker-1",
        "shop/Service/cart",
        pytest.param("shop/Backup/b", id="kind-of-two-groups-namespaced"),
        pytest.param("Backup/b", id="kind-of-two-groups-without-namespace"),
        pytest.param("shop/HTTPThing/x", id="custom"),
    ],
)
def test_what_the_cluster_serves_fits(target: str) -> None:
    assert check_against(target, KINDS) == TargetFit()


@pytest.mark.parametrize("kinds", [KINDS, parse_kinds(LISTS)], ids=["aggregated", "lists"])
@pytest.mark.parametrize(
    ("target", "problem", "better"),
    [
        (
            "shop/deployment/cart",
            "kind 'deployment' is written Deployment; write shop/Deployment/cart",
            "shop/Deployment/cart",
        ),
        (
            "shop/deployments/cart",
            "kind 'deployments' is written Deployment; write shop/Deployment/cart",
            "shop/Deployment/cart",
        ),
        (
            "deploy/cart",
            "kind 'deploy' is written Deployment; write NAMESPACE/Deployment/cart",
            "NAMESPACE/Deployment/cart",
        ),
        (
            "Deployment/cart",
            "kind Deployment needs a namespace; write NAMESPACE/Deployment/cart",
            "NAMESPACE/Deployment/cart",
        ),
        (
            "shop/Node/worker-1",
            "kind Node has no namespace; write Node/worker-1",
            "Node/worker-1",
        ),
        (
            "shop/Deploymnet/cart",
            "the cluster serves no kind 'Deploymnet'; did you mean Deployment?",
            "shop/Deployment/cart",
        ),
        ("shop/Xyzzy/cart", "the cluster serves no kind 'Xyzzy'", ""),
    ],
)
def test_what_does_not_fit_is_told_with_the_spelling_that_does(
    kinds: ServedKinds, target: str, problem: str, better: str
) -> None:
    assert check_against(target, kinds) == TargetFit(problem, better)


def test_a_name_of_several_kinds_is_told_with_all_of_them() -> None:
    fit = check_against("shop/backups/b", KINDS)
    assert fit == TargetFit("kind 'backups' is written Backup; write Backup/b or shop/Backup/b")


def test_a_subresource_is_no_kind() -> None:
    assert check_against("NodeProxy/x", parse_kinds(LISTS)).problem


def test_a_group_that_does_not_answer_may_serve_an_unknown_kind() -> None:
    stale = {"items": [group("metrics.k8s.io", freshness="Stale")]}
    fit = check_against("shop/Metric/x", parse_kinds([*AGGREGATED, stale]))
    assert fit.problem == ""
    assert "metrics.k8s.io" in fit.unchecked
    known = check_against("shop/Deployment/cart", parse_kinds([*AGGREGATED, stale]))
    assert known == TargetFit(), "what is known to be served needs no other group"


def test_text_that_is_not_a_target_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not a target"):
        check_against("nothing", KINDS)


@pytest.mark.parametrize("odd", [{}, {"items": "x"}, {"resources": [{"kind": 1}]}, {"items": [{}]}])
def test_odd_documents_serve_nothing(odd: dict[str, Any]) -> None:
    assert parse_kinds([odd]) == ServedKinds(frozenset())

"""The NetworkPolicies in manifests/ say which peers reach the operator, and what it reaches.

Whether a network keeps to them is the cluster's affair; that the API server takes them is tested
with all manifests. Here it is worked out what they say, all of them together.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.networks import Peer, Pod
from localcluster import checkers
from localcluster.cluster import Object
from localcluster.overlays import MANIFESTS, overlay

DOCS = MANIFESTS.parent / "docs/how-to"
METRICS, PROBES, PAGE = 9090, 8081, 8080
READERS, VISITORS = "kubernaut.ai/metrics-readers", "kubernaut.ai/status-page-visitors"
BESIDE = {"kubernetes.io/metadata.name": "kubernaut-system"}
RUNS = {"kubernetes.io/metadata.name": "kubernaut-workflows"}
SERVER, ELSEWHERE = Peer(address="192.0.2.1"), Peer(address="203.0.113.7")
EGRESS = MANIFESTS / "components/network-egress/kustomization.yaml"
Said = tuple[Pod, list[Object]]


def said_by(folder: Path) -> Said:
    """The operator's pods, and all policies of an installation."""
    objects = checkers.kustomized(folder)
    (deployment,) = [item for item in objects if item["kind"] == "Deployment"]
    return Pod.of(deployment), [item for item in objects if item["kind"] == "NetworkPolicy"]


@pytest.fixture(scope="module")
def everything() -> Said:
    """With every component that has a word to say."""
    parts = ["status-page", "monitoring", "network-egress", "runner-cluster-wide"]
    with overlay(resources=["."], components=parts) as folder:
        return said_by(folder)


@pytest.fixture(scope="module")
def as_shipped() -> Said:
    return said_by(MANIFESTS)


@pytest.mark.parametrize(
    ("namespace", "reached"),
    [
        ({}, set()),
        (BESIDE, set()),
        (RUNS, set()),
        ({READERS: "true"}, {METRICS}),
        ({READERS: "false"}, set()),
        ({VISITORS: "true"}, {PAGE}),
        ({READERS: "true", VISITORS: "true"}, {METRICS, PAGE}),
    ],
)
def test_only_who_is_labelled_for_it_reaches_a_port(
    everything: Said, namespace: dict[str, str], reached: set[int]
) -> None:
    pod, policies = everything
    tried = (METRICS, PROBES, PAGE, 22)

    assert {one for one in tried if pod.lets_in(policies, Peer(namespace), one)} == reached


def test_as_shipped_only_readers_of_metrics_reach_anything(as_shipped: Said) -> None:
    pod, policies = as_shipped

    for port in (METRICS, PROBES, PAGE):
        assert not pod.lets_in(policies, Peer(RUNS), port)
        assert not pod.lets_in(policies, ELSEWHERE, port)
        assert pod.lets_in(policies, Peer({READERS: "true"}), port) == (port == METRICS)


def test_as_shipped_nothing_bounds_what_it_reaches(as_shipped: Said) -> None:
    pod, policies = as_shipped

    assert pod.lets_out(policies, ELSEWHERE, 25)


def test_with_egress_it_reaches_three_ports_of_any_address(everything: Said) -> None:
    pod, policies = everything
    tcp = {port for port in (22, 25, 53, 80, 443, 4318, 6443) if _is_out(pod, policies, port)}

    assert tcp == {53, 443, 6443}
    assert pod.lets_out(policies, ELSEWHERE, 53, "UDP")
    assert not pod.lets_out(policies, ELSEWHERE, 443, "UDP")


def _is_out(pod: Pod, policies: list[Object], port: int) -> bool:
    return pod.lets_out(policies, ELSEWHERE, port)


def test_where_the_address_is_named_as_shown_no_other_one_is_reached() -> None:
    shown = [line[4:] for line in EGRESS.read_text().splitlines() if line.startswith("#   ")]
    patches = yaml.safe_load("\n".join(shown))["patches"]
    with overlay(resources=["."], components=["network-egress"], patches=patches) as folder:
        pod, policies = said_by(folder)

    for port in (443, 6443):
        assert pod.lets_out(policies, SERVER, port)
        assert not pod.lets_out(policies, ELSEWHERE, port)
    assert pod.lets_out(policies, ELSEWHERE, 53, "UDP")


def test_each_label_is_where_people_look_for_it() -> None:
    assert f"{READERS}=true" in (DOCS / "observe.md").read_text()
    assert f"{VISITORS}=true" in (DOCS / "status-page.md").read_text()

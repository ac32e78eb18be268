"""Bundles that remove one pod: that very one, and only where it should go."""

from __future__ import annotations

from typing import Any

import pytest

from bundles import things
from bundles.remedy import Remedy
from harness.executions import unique
from localcluster.cluster import Object

NEVER_READY: dict[str, Any] = {
    "readinessProbe": {"exec": {"command": ["/bin/false"]}, "periodSeconds": 1}
}


@pytest.fixture(scope="module", autouse=True)
def _rights(remedy: Remedy, shop: str) -> None:
    for bundle in ("delete-stuck-pod", "evict-pod"):
        remedy.allow(bundle, shop)


def _pod(target: str, pod: Object) -> str:
    return f"{target.split('/')[0]}/Pod/{pod['metadata']['name']}"


def test_a_stuck_pod_is_deleted_and_replaced(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    hung = things.pod_spec(cluster, **NEVER_READY)
    target = things.workload(cluster, shop, "Deployment", unique("app"), pod=hung, is_ready=False)
    (pod,) = things.eventually_pods(cluster, target, lambda pods: len(pods) == 1)
    stuck = _pod(target, pod)
    code, why = remedy.failed("delete-stuck-pod", stuck, STUCK_AFTER="3600")
    assert (code, "STUCK_AFTER=3600 s have not passed" in why) == (8, True)
    assert things.read(cluster, stuck)["metadata"]["uid"] == pod["metadata"]["uid"]

    said = remedy.completed("delete-stuck-pod", stuck, STUCK_AFTER="1")

    assert not things.exists(cluster, stuck)
    assert ", ready False" in said
    assert said.endswith("after: the pod is gone; its ReplicaSet replaces it")
    new = things.eventually_pods(cluster, target, lambda pods: len(pods) == 1)
    assert things.uids(new) != things.uids([pod])
    again = remedy.completed("delete-stuck-pod", stuck, STUCK_AFTER="1")
    assert again == "before: as wanted; after: there is no such pod, so nothing was changed"
    assert things.uids(things.pods_of(cluster, target)) == things.uids(new)
    assert remedy.unused_rights("delete-stuck-pod") == set()


def test_a_pod_that_does_not_go_is_removed_by_force_alone(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    lost = unique("lost")
    cluster.request("POST", "/api/v1/nodes", {"metadata": {"name": lost}})
    there = {**things.pod_spec(cluster), "nodeName": lost}
    target = things.workload(cluster, shop, "Deployment", unique("app"), pod=there, is_ready=False)
    (pod,) = things.eventually_pods(cluster, target, lambda pods: len(pods) == 1)
    leaving = _pod(target, pod)
    cluster.request("DELETE", f"{things.path_of(leaving)}?gracePeriodSeconds=1")
    code, why = remedy.failed("delete-stuck-pod", leaving, STUCK_AFTER="0")
    assert (code, "FORCE=true removes it" in why) == (8, True)
    assert things.read(cluster, leaving)["metadata"]["uid"] == pod["metadata"]["uid"]

    remedy.completed("delete-stuck-pod", leaving, STUCK_AFTER="0", FORCE="true")

    assert not things.exists(cluster, leaving)
    cluster.request("DELETE", things.path_of(target))
    cluster.request("DELETE", f"/api/v1/nodes/{lost}")


def test_a_good_pod_and_one_without_a_controller_are_left_alone(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    target = things.workload(cluster, shop, "Deployment", unique("app"))
    (pod,) = things.pods_of(cluster, target)
    alone = things.create(cluster, shop, "Pod", unique("alone"), things.pod_spec(cluster))

    said = remedy.launch("delete-stuck-pod", _pod(target, pod), STUCK_AFTER="0")
    why = [
        remedy.failed("delete-stuck-pod", alone, STUCK_AFTER="0"),
        remedy.failed("evict-pod", alone, MIN_AGE="0"),
    ]

    assert remedy.told(said).endswith("the pod is ready, so nothing was changed")
    for code, words in why:
        assert (code, "no controller would replace" in words) == (8, True)
    assert things.uids(things.pods_of(cluster, target)) == things.uids([pod])
    assert things.exists(cluster, alone)


def test_eviction_waits_for_the_disruption_budget(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    name = unique("app")
    target = things.workload(cluster, shop, "StatefulSet", name)
    (pod,) = things.pods_of(cluster, target)
    evicted = _pod(target, pod)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
    budget = things.create(cluster, shop, "PodDisruptionBudget", name, spec)
    code, why = remedy.failed("evict-pod", evicted, MIN_AGE="0", TIMEOUT="3")
    assert (code, "disruption budget" in why) == (7, True)
    assert things.uids(things.pods_of(cluster, target)) == things.uids([pod])

    cluster.request("DELETE", things.path_of(budget))
    said = remedy.completed("evict-pod", evicted, MIN_AGE="1")

    assert said.endswith("after: the pod is gone; its StatefulSet replaces it")
    things.until_ready(cluster, target)
    new = things.read(cluster, evicted)["metadata"]["uid"]
    assert new != pod["metadata"]["uid"]
    again = remedy.completed("evict-pod", evicted, MIN_AGE="3600")
    assert again.endswith("the pod is less than 3600 s old, so nothing was changed")
    assert things.read(cluster, evicted)["metadata"]["uid"] == new
    assert remedy.unused_rights("evict-pod") == set()

"""Bundles that change the node itself, which the runs' own pods are on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundles import things
from bundles.remedy import Remedy
from harness.executions import unique
from localcluster import node
from localcluster.cluster import Cluster

AS_WANTED = "before: as wanted; after:"
NODE = f"Node/{node.NAME}"
DEFAULTS = "/api/v1/namespaces/tekton-pipelines/configmaps/config-defaults"
TOLERANT = """
tolerations:
  - {key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoSchedule}
"""


@pytest.fixture(scope="module", autouse=True)
def _rights(remedy: Remedy) -> Iterator[None]:
    """The only node is cordoned here: the runs' pods must come all the same."""
    for bundle in ("cordon-node", "uncordon-node", "drain-node"):
        remedy.allow(bundle)
    defaults = {"data": {"default-pod-template": TOLERANT}}
    remedy.cluster.request("PATCH", DEFAULTS, defaults)
    yield
    remedy.cluster.request("PATCH", DEFAULTS, {"data": {"default-pod-template": None}})
    remedy.cluster.request("PATCH", things.path_of(NODE), {"spec": {"unschedulable": None}})


def _is_cordoned(cluster: Cluster) -> bool:
    return things.read(cluster, NODE)["spec"].get("unschedulable") is True


def test_a_cordoned_node_takes_no_pod_until_it_is_uncordoned(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    assert remedy.completed("cordon-node", NODE) == (
        "before: takes new pods; after: takes no new pods; those on it stay"
    )
    assert _is_cordoned(cluster)
    target = things.workload(cluster, shop, "Deployment", unique("app"), is_ready=False)
    things.eventually_pods(cluster, target, lambda pods: any(map(_is_unschedulable, pods)))
    again = remedy.completed("cordon-node", NODE)
    assert again == f"{AS_WANTED} the node takes no new pods already, so nothing was changed"

    said = remedy.completed("uncordon-node", NODE)

    assert said == "before: takes no new pods; after: takes new pods"
    assert not _is_cordoned(cluster)
    things.until_ready(cluster, target)
    again = remedy.completed("uncordon-node", NODE)
    assert again == f"{AS_WANTED} the node takes new pods already, so nothing was changed"
    assert remedy.unused_rights("cordon-node") == set()
    assert remedy.unused_rights("uncordon-node") == set()


def test_a_drained_node_has_only_what_may_stay(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    stays = things.workload(cluster, shop, "DaemonSet", unique("agent"))
    agents = things.uids(things.pods_of(cluster, stays))
    target = things.workload(cluster, shop, "Deployment", unique("app"))
    old = things.uids(things.pods_of(cluster, target))
    alone = things.create(cluster, shop, "Pod", unique("alone"), things.pod_spec(cluster))
    code, why = remedy.failed("drain-node", NODE, TIMEOUT="60")
    assert (code, "declare no controller" in why) == (8, True)
    assert not _is_cordoned(cluster)

    said = remedy.completed("drain-node", NODE, FORCE="true", TIMEOUT="120")

    assert "before: takes new pods: yes; " in said
    assert " pods were evicted" in said
    assert _is_cordoned(cluster)
    assert not things.exists(cluster, alone)
    (pod,) = things.pods_of(cluster, target)
    assert pod["metadata"]["uid"] not in old
    assert "nodeName" not in pod["spec"]
    assert things.uids(things.pods_of(cluster, stays)) == agents
    again = remedy.completed("drain-node", NODE, FORCE="true", TIMEOUT="120")
    assert again.endswith("none to evict, so nothing was changed")
    remedy.completed("uncordon-node", NODE)
    things.until_ready(cluster, target)
    assert remedy.unused_rights("drain-node") == set()


def _is_unschedulable(pod: dict[str, object]) -> bool:
    return "'Unschedulable'" in str(pod["status"])

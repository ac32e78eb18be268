"""Bundles that change a workload: what each promises, seen on pods that really run."""

from __future__ import annotations

import pytest

from bundles import things
from bundles.remedy import Remedy
from harness.executions import unique

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@pytest.fixture(scope="module", autouse=True)
def _rights(remedy: Remedy, shop: str) -> None:
    for bundle in ("restart-workload",):
        remedy.allow(bundle, shop)


def test_restart_replaces_every_pod_once(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    targets = [things.workload(cluster, shop, kind, unique("app")) for kind in KINDS]
    before = [things.uids(things.pods_of(cluster, target)) for target in targets]

    told = [remedy.launch("restart-workload", target) for target in targets]
    for item, target, old in zip(told, targets, before, strict=True):
        said = remedy.told(item)
        pods = things.pods_of(cluster, target)
        assert things.uids(pods).isdisjoint(old), target
        (restarted_at,) = {pod["metadata"]["annotations"][RESTARTED_AT] for pod in pods}
        assert "before: generation 1, 1 of 1 pods ready, restarted never; after: " in said
        assert said.endswith(f"1 of 1 pods ready, restarted {restarted_at}")

    target, pods = targets[0], things.pods_of(cluster, targets[0])
    again = remedy.completed("restart-workload", target)
    assert "already, so nothing was changed" in again
    assert things.uids(things.pods_of(cluster, target)) == things.uids(pods)
    assert remedy.unused_rights("restart-workload") == set()


def test_restart_waits_in_vain_and_says_so(remedy: Remedy, shop: str) -> None:
    target = things.workload(remedy.cluster, shop, "Deployment", unique("app"))
    broken = {"spec": {"template": {"spec": {"nodeSelector": {"no": "such"}}}}}
    remedy.cluster.request("PATCH", things.path_of(target), broken)

    code, said = remedy.failed("restart-workload", target, ROLLOUT_TIMEOUT="3")

    assert code == 7
    assert "did not finish within 3 s: generation 3, " in said


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("Deployment", {"paused": True}, "is paused"),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, "update strategy OnDelete"),
    ],
)
def test_restart_refuses_where_it_would_replace_nothing(
    remedy: Remedy, shop: str, kind: str, spec: dict[str, object], words: str
) -> None:
    is_ready = kind != "Deployment"
    target = things.workload(remedy.cluster, shop, kind, unique("app"), is_ready=is_ready, **spec)

    code, said = remedy.failed("restart-workload", target)

    assert code == 8
    assert words in said
    assert things.read(remedy.cluster, target)["metadata"]["generation"] == 1

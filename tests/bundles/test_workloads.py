"""Bundles that change a workload: what each promises, seen on pods that really run."""

from __future__ import annotations

import pytest

from bundles import things
from bundles.remedy import Remedy
from harness.executions import unique
from localcluster.cluster import Object

BUNDLES = ("restart-workload", "rollback-deployment", "scale-workload", "raise-memory-limit")
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
# Wants some 40 MiB, and then no more.
HUNGRY = f"x=$(head -c 20000000 /dev/zero | tr '\\0' x); {things.STAY}"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@pytest.fixture(scope="module", autouse=True)
def _rights(remedy: Remedy, shop: str) -> None:
    for bundle in BUNDLES:
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


def test_a_check_that_failed_raises_no_alarm_and_what_was_sent_does(
    remedy: Remedy, shop: str
) -> None:
    nobody = f"{shop}/Deployment/nobody"
    checked = remedy.failure(remedy.launch("restart-workload", nobody))
    assert (checked["exitCode"], checked["failedStepName"]) == (4, "check")
    assert "Nothing was changed, as the step says." in checked["naturalLanguageSummary"]
    assert checked["wasExecutionFailure"] is True

    target = things.workload(remedy.cluster, shop, "Deployment", unique("app"))
    broken = {"spec": {"template": {"spec": {"nodeSelector": {"no": "such"}}}}}
    remedy.cluster.request("PATCH", things.path_of(target), broken)
    sent = remedy.failure(remedy.launch("restart-workload", target, ROLLOUT_TIMEOUT="3"))
    assert sent["failedStepName"] == "verify"
    assert f"so {target} may have been changed." in sent["naturalLanguageSummary"]


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("Deployment", {"paused": True}, "is paused"),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, "update strategy OnDelete"),
    ],
)
def test_restart_refuses_where_it_would_replace_nothing(
    remedy: Remedy, shop: str, kind: str, spec: Object, words: str
) -> None:
    is_ready = kind != "Deployment"
    target = things.workload(remedy.cluster, shop, kind, unique("app"), is_ready=is_ready, **spec)

    code, said = remedy.failed("restart-workload", target)

    assert code == 8
    assert words in said
    assert things.read(remedy.cluster, target)["metadata"]["generation"] == 1


def test_rollback_returns_to_the_revision_that_worked(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    target = things.workload(cluster, shop, "Deployment", unique("app"))
    good = _container(remedy, target)
    ends = {"containers": [{"name": "app", "command": ["/bin/false"]}]}
    things.change(cluster, target, {"spec": {"template": {"spec": ends}}})
    things.eventually_pods(cluster, target, lambda pods: len(pods) == 2)

    said = remedy.completed("rollback-deployment", target)

    assert _container(remedy, target) == good
    assert "before: revision 2, " in said
    assert "after: revision 3, the same as revision 1 was, " in said
    generation = things.read(cluster, target)["metadata"]["generation"]
    again = remedy.completed("rollback-deployment", target)
    assert "revision 3 is healthy" in again
    asked = remedy.completed("rollback-deployment", target, TO_REVISION="1")
    assert "revision 3 is what was asked for" in asked
    assert things.read(cluster, target)["metadata"]["generation"] == generation
    code, why = remedy.failed("rollback-deployment", target, TO_REVISION="9")
    assert (code, "no such earlier revision" in why) == (8, True)
    assert remedy.unused_rights("rollback-deployment") == set()


def test_scale_sets_replicas_within_bounds(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    targets = [things.workload(cluster, shop, kind, unique("app")) for kind in KINDS[:2]]
    items = [remedy.launch("scale-workload", target, REPLICAS="2") for target in targets]
    for item, target in zip(items, targets, strict=True):
        said = remedy.told(item)
        assert "before: 1 replicas" in said
        assert "after: 2 replicas" in said
        assert len(things.pods_of(cluster, target)) == 2

    generation = things.read(cluster, targets[0])["metadata"]["generation"]
    again = remedy.completed("scale-workload", targets[0], REPLICAS="2")
    assert "after: 2 replicas" in again
    assert again.endswith("so nothing was changed")
    assert things.read(cluster, targets[0])["metadata"]["generation"] == generation
    code, why = remedy.failed("scale-workload", targets[0], REPLICAS="11")
    assert (code, "more than MAX_REPLICAS=10" in why) == (8, True)


def test_scale_leaves_an_autoscaled_workload_alone(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    name = unique("app")
    target = things.workload(cluster, shop, "Deployment", name)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    spec = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 3}
    things.create(cluster, shop, "HorizontalPodAutoscaler", f"{name}-by-load", spec)

    code, why = remedy.failed("scale-workload", target, REPLICAS="2")

    assert (code, f"HorizontalPodAutoscaler {name}-by-load" in why) == (8, True)
    assert things.read(cluster, target)["spec"]["replicas"] == 1
    assert remedy.unused_rights("scale-workload") == set()


def test_the_memory_limit_is_raised_for_what_it_killed(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    greedy = things.pod_spec(cluster, HUNGRY, resources={"limits": {"memory": "24Mi"}})
    targets = [
        things.workload(cluster, shop, kind, unique("app"), pod=greedy, is_ready=False)
        for kind in KINDS
    ]
    for target in targets:
        things.eventually_pods(cluster, target, lambda pods: any(map(_was_killed, pods)))

    items = [
        remedy.launch("raise-memory-limit", target, FACTOR="10", CAP="200Mi") for target in targets
    ]
    for item, target in zip(items, targets, strict=True):
        said = remedy.told(item)
        assert "before: memory limit of app 24Mi, " in said
        assert "after: memory limit of app 200Mi, " in said
        assert _container(remedy, target)["resources"]["limits"] == {"memory": "200Mi"}
        assert "1 of 1 pods ready" in said.partition("after")[2]

    generation = things.read(cluster, targets[0])["metadata"]["generation"]
    again = remedy.completed("raise-memory-limit", targets[0], FACTOR="10", CAP="400Mi")
    assert "no container was killed for reaching its limit, so nothing was changed" in again
    assert things.read(cluster, targets[0])["metadata"]["generation"] == generation
    assert remedy.unused_rights("raise-memory-limit") == set()


def test_the_memory_limit_stays_below_its_cap(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    greedy = things.pod_spec(cluster, HUNGRY, resources={"limits": {"memory": "24Mi"}})
    target = things.workload(cluster, shop, "Deployment", unique("app"), pod=greedy, is_ready=False)
    things.eventually_pods(cluster, target, lambda pods: any(map(_was_killed, pods)))

    code, why = remedy.failed("raise-memory-limit", target, CAP="24Mi")

    assert (code, "CAP=24Mi lets it grow no further" in why) == (8, True)
    assert _container(remedy, target)["resources"]["limits"] == {"memory": "24Mi"}


def _container(remedy: Remedy, target: str) -> Object:
    template = things.read(remedy.cluster, target)["spec"]["template"]
    (container,) = template["spec"]["containers"]
    found: Object = container
    return found


def _was_killed(pod: Object) -> bool:
    return any(
        state.get("terminated", {}).get("reason") == "OOMKilled"
        for status in pod["status"].get("containerStatuses", [])
        for state in (status["state"], status["lastState"])
    )

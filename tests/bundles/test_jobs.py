"""Bundles for Jobs, CronJobs and claims, and the one that only looks."""

from __future__ import annotations

import pytest

from bundles import things
from bundles.remedy import Remedy
from harness.audit import events_of
from harness.executions import name_of, unique
from harness.waiting import eventually
from localcluster import node
from localcluster.cluster import Cluster, Object

BUNDLES = ("rerun-job", "suspend-cronjob", "expand-pvc")
# Fails until the ConfigMap that it mounts has the key `good`.
BY_CONFIG = "test -e /config/good"


@pytest.fixture(scope="module", autouse=True)
def _rights(remedy: Remedy, shop: str) -> None:
    for bundle in BUNDLES:
        remedy.allow(bundle, shop)
    remedy.allow("collect-diagnostics")


def _job(cluster: Cluster, script: str, config: str = "") -> Object:
    pod = things.pod_spec(cluster, script)
    if config:
        pod["containers"][0]["volumeMounts"] = [{"name": "config", "mountPath": "/config"}]
        pod["volumes"] = [{"name": "config", "configMap": {"name": config}}]
    return {"backoffLimit": 0, "template": {"spec": {**pod, "restartPolicy": "Never"}}}


def _has(cluster: Cluster, target: str, condition: str) -> None:
    def check() -> None:
        found = things.read(cluster, target).get("status", {}).get("conditions", [])
        assert condition in [item["type"] for item in found if item["status"] == "True"], found

    eventually(check, things.READY_S)


def test_a_failed_job_is_run_again_once(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    config = unique("config")
    maps = f"/api/v1/namespaces/{shop}/configmaps"
    cluster.request("POST", maps, {"metadata": {"name": config}, "data": {"bad": ""}})
    name = unique("job")
    target = things.create(cluster, shop, "Job", name, _job(cluster, BY_CONFIG, config))
    _has(cluster, target, "Failed")
    cluster.request("PATCH", f"{maps}/{config}", {"data": {"good": ""}})

    said = remedy.completed("rerun-job", target)

    uid = things.read(cluster, target)["metadata"]["uid"]
    copy = f"{shop}/Job/{name}-rerun-{uid[:8]}"
    _has(cluster, copy, "Complete")
    assert said.endswith(f"ran again as {copy.rpartition('/')[2]}, which completed")
    jobs = [name_of(job) for job in things.listed(cluster, shop, "Job")]
    again = remedy.completed("rerun-job", target)
    assert again.endswith("has completed, so nothing was changed")
    assert [name_of(job) for job in things.listed(cluster, shop, "Job")] == jobs
    good = remedy.completed("rerun-job", copy)
    assert good == "before: as wanted; after: the Job has completed, so nothing was changed"


def test_a_copy_that_fails_too_is_told_and_not_repeated(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    target = things.create(cluster, shop, "Job", unique("job"), _job(cluster, "exit 3"))
    _has(cluster, target, "Failed")

    first, second = remedy.failed("rerun-job", target), remedy.failed("rerun-job", target)

    assert (first[0], "which failed too" in first[1]) == (6, True)
    assert (second[0], "nothing was changed" in second[1]) == (8, True)
    assert remedy.unused_rights("rerun-job") == set()


def test_a_suspended_cronjob_starts_no_job(remedy: Remedy, shop: str) -> None:
    cluster = remedy.cluster
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": _job(cluster, "exit 0")}}
    target = things.create(cluster, shop, "CronJob", unique("cron"), spec)

    said = remedy.completed("suspend-cronjob", target)

    assert said.startswith("before: suspended false, ")
    assert "after: suspended true, " in said
    found = things.read(cluster, target)
    assert found["spec"]["suspend"] is True
    again = remedy.completed("suspend-cronjob", target)
    assert again.endswith("so nothing was changed")
    assert (
        things.read(cluster, target)["metadata"]["generation"] == (found["metadata"]["generation"])
    )
    remedy.completed("suspend-cronjob", target, SUSPEND="false")
    assert things.read(cluster, target)["spec"]["suspend"] is False
    assert remedy.unused_rights("suspend-cronjob") == set()


@pytest.fixture
def claim(remedy: Remedy, shop: str) -> str:
    """A bound claim whose class lets it grow; no driver is there to do it."""
    cluster, name = remedy.cluster, unique("claim")
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.test/none",
        "allowVolumeExpansion": True,
    }
    cluster.request("POST", "/apis/storage.k8s.io/v1/storageclasses", storage)
    common = {"storageClassName": name, "accessModes": ["ReadWriteOnce"]}
    size = {"storage": "1Gi"}
    volume = {**common, "capacity": size, "hostPath": {"path": f"/tmp/{name}"}}
    body = {"metadata": {"name": name}, "spec": volume}
    cluster.request("POST", "/api/v1/persistentvolumes", body)
    wants = {**common, "resources": {"requests": size}}
    target = things.create(cluster, shop, "PersistentVolumeClaim", name, wants)

    def check() -> None:
        assert things.read(cluster, target)["status"]["phase"] == "Bound"

    eventually(check, things.READY_S)
    return target


def test_a_claim_asks_for_more_and_waits_for_it(remedy: Remedy, claim: str) -> None:
    cluster = remedy.cluster
    code, why = remedy.failed("expand-pvc", claim, SIZE="200Gi")
    assert (code, "more than MAX_SIZE=100Gi" in why) == (8, True)
    code, why = remedy.failed("expand-pvc", claim, SIZE="2Gi", TIMEOUT="3")
    assert (code, "asks for 2Gi and has 1Gi after 3 s" in why) == (7, True)
    assert things.read(cluster, claim)["spec"]["resources"]["requests"] == {"storage": "2Gi"}

    waiting = remedy.launch("expand-pvc", claim, SIZE="2Gi")
    # The driver's part, which no machine without one can play.
    cluster.request(
        "PATCH", f"{things.path_of(claim)}/status", {"status": {"capacity": {"storage": "2Gi"}}}
    )

    assert "2Gi" in remedy.told(waiting)
    again = remedy.completed("expand-pvc", claim, SIZE="2Gi")
    assert again.endswith("after: the claim has 2Gi, so nothing was changed")
    assert remedy.unused_rights("expand-pvc") == set()


def test_a_class_that_cannot_grow_is_found_before_a_change(remedy: Remedy, claim: str) -> None:
    cluster = remedy.cluster
    name = claim.rpartition("/")[2]
    path = f"/apis/storage.k8s.io/v1/storageclasses/{name}"
    cluster.request("PATCH", path, {"allowVolumeExpansion": False})

    code, why = remedy.failed("expand-pvc", claim, SIZE="2Gi")

    assert (code, "must support resize" in why) == (5, True)
    assert things.read(cluster, claim)["spec"]["resources"]["requests"] == {"storage": "1Gi"}


def test_diagnostics_tell_of_every_kind_and_change_nothing(
    remedy: Remedy, shop: str, claim: str
) -> None:
    cluster = remedy.cluster
    broken = things.pod_spec(cluster, "echo out of order; exit 1")
    sick = things.workload(cluster, shop, "Deployment", unique("app"), pod=broken, is_ready=False)
    (pod,) = things.eventually_pods(
        cluster, sick, lambda pods: "BackOff" in str([pod["status"] for pod in pods])
    )
    cron = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": _job(cluster, "exit 0")}}
    targets = {
        sick: r"1 pods, 0 of them ready; warnings: BackOff",
        f"{shop}/Pod/{name_of(pod)}": "1 pods, 0 of them ready; warnings: BackOff",
        things.workload(cluster, shop, "StatefulSet", unique("app")): "1 pods, 1 of them ready",
        things.workload(cluster, shop, "DaemonSet", unique("app")): "1 pods, 1 of them ready",
        things.create(cluster, shop, "Job", unique("job"), _job(cluster, "exit 0")): "1 pods, 0",
        things.create(cluster, shop, "CronJob", unique("cron"), cron): "0 pods",
        claim: "0 pods",
        f"Node/{node.NAME}": " pods, ",
    }
    items = {target: remedy.launch("collect-diagnostics", target) for target in targets}

    for target, words in targets.items():
        said = remedy.told(items[target])
        assert said.startswith("found: "), target
        assert words in said, target
    user = f"system:serviceaccount:{remedy.world.execution_namespace}:collect-diagnostics"
    verbs = {event["verb"] for event in events_of(cluster, user, 0)}
    assert verbs <= {"get", "list"}
    assert remedy.unused_rights("collect-diagnostics") == set()

"""The operator in the cluster, installed from the manifests and its image, as users have it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from e2e.workload import restarted_at
from harness.executions import execution, name_of, phase_of, unique_target
from harness.objects import Objects
from harness.waiting import eventually
from harness.world import TERMINAL
from incluster.conftest import TEAM
from incluster.inventory import Inventory
from live_demo.deployed import NAMESPACE, apply, deploy, remove
from live_demo.ground import Ground, run_kubectl
from live_demo.stage import Stage
from live_demo.story import not_as_told, play
from localcluster import Cluster
from localcluster.cluster import Object
from localcluster.overlays import MANIFESTS, overlay
from operator_image.debian import PROGRAM, PYTHON

RUNS_IN, SHOP = "kubernaut-workflows", "sample-shop"
UID = "kubernaut.ai/workflow-execution-uid"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/workflowexecution-controller"
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "workflowexecutions.workflowexecution.kubernaut.ai"
)
PACE_S = 0.5
# More at once than this only queue for the machine, and outlast the upgrade that they are to see.
AT_ONCE = 6
END_S = 120.0
# Two pods, the image on the node already; some ten seconds where nothing else works.
READY_S = 60.0
LOOK_AROUND = """
import importlib.util, json, os, pathlib, sys
def refused(path):
    try:
        pathlib.Path(path).touch()
    except OSError as error:
        return error.strerror
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "root": refused("/x"), "code": refused("/usr/local/lib/x"),
    "pip": bool(importlib.util.find_spec("pip") or importlib.util.find_spec("ensurepip")),
    "python": sys.version_info[:2],
    "shell": pathlib.Path("/bin/sh").exists(),
    "bill": [one["name"] for one in json.loads(pathlib.Path(
        "/usr/share/sbom/workflowexecution-operator.cdx.json").read_text())["components"]],
}))
"""


def test_an_upgrade_under_load_loses_and_doubles_nothing(
    node: Cluster, previous: Ground, current: Ground
) -> None:
    with _load(node, current) as created:
        deploy(current)

    assert _digests(node) == {current.operator.partition("@")[2]}
    _all_completed_once(node, created)


def test_kubectl_wfe_doctor_finds_nothing_missing(node: Cluster, installed: Ground) -> None:
    asked = ["doctor", f"--kubeconfig={node.kubeconfig}", "-o", "json"]
    told = subprocess.run(
        [sys.executable, "-m", "workflowexecution.plugin", *asked], capture_output=True, text=True
    )
    items = json.loads(told.stdout)["items"]
    wrong = [item for item in items if item["state"] in ("error", "unknown")]
    assert (told.returncode, wrong) == (0, []), f"{wrong}\n{told.stderr}"
    found = {item["check"]: item["detail"] for item in items}
    assert found["operator"].endswith("2 of 2 pods ready")
    # Tekton's webhook is a process of the machine, behind a Service that only names a host.
    count, _, limit = found["webhooks"].partition(" that matter, all answered for")
    assert int(count) > 0
    assert "ExternalName" in limit


def test_the_pods_are_confined_as_the_manifests_say(node: Cluster, installed: Ground) -> None:
    pod = name_of(_pods(node)[0])
    code = (PROGRAM, "-c", LOOK_AROUND)
    seen = json.loads(run_kubectl(installed, "-n", NAMESPACE, "exec", pod, "--", *code))

    assert seen.pop("bill") >= ["aiohappyeyeballs"]
    assert seen == {
        "user": [65532, 65532],
        "root": "Read-only file system",
        "code": "Read-only file system",
        "pip": False,
        "python": [int(part) for part in PYTHON.split(".")],
        "shell": False,
    }
    place = node.request("GET", f"/api/v1/namespaces/{NAMESPACE}")
    assert place["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    accounts = {one["spec"]["serviceAccountName"] for one in _pods(node)}
    assert accounts == {"workflowexecution-controller"}


def test_the_story_ends_as_told(described_ground: Ground) -> None:
    deploy(described_ground)
    stage = Stage(described_ground)
    with stage.set():
        play(stage, lambda: None)

        assert [act.name for act in not_as_told(stage)] == []


def test_another_pod_takes_over_from_a_leader_that_is_deleted(
    node: Cluster, installed: Ground
) -> None:
    leader = _leader(node)
    under_way = _create(node, installed, seconds=8)
    eventually(lambda: _in_phase(node, under_way, "Running"), END_S)

    run_kubectl(installed, "-n", NAMESPACE, "delete", "pod", leader, "--wait=false")
    later = _create(node, installed, seconds=1)

    _all_completed_once(node, [under_way, later])
    assert _leader(node) != leader
    eventually(lambda: _are_ready(node, 2), END_S)


def test_the_sample_works_with_a_registry_of_ones_own(node: Cluster, installed: Ground) -> None:
    bundle = installed.bundles["restart-workload"]
    patches = [
        _set("WorkflowExecution", "/spec/workflowRef/containerImage", bundle),
        _set("Deployment", "/spec/template/spec/containers/0/image", f"{node.registry}/pause"),
    ]
    with overlay(resources=["samples"], patches=patches) as folder:
        apply(installed, folder)

        def check() -> None:
            (item,) = Objects(node, "workflowexecutions").list(SHOP)
            assert phase_of(item) == "Completed", item.get("status")

        eventually(check, END_S)
        assert restarted_at(node, f"{SHOP}/Deployment/payment-api")
        run_kubectl(installed, "delete", "-k", str(folder))


def test_it_is_ready_soon_after_it_is_applied(
    installed: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    remove(installed)

    seconds = deploy(installed)

    with capsys.disabled():
        print(f"\nready {seconds:.1f} s after kubectl apply")
    assert seconds < READY_S


def test_roles_in_two_namespaces_are_enough(node: Cluster, installed: Ground) -> None:
    remove(installed)
    run_kubectl(installed, "apply", "--server-side", "-k", str(MANIFESTS / "crd"))
    deploy(installed, "overlays/single-namespace")

    here = _create(node, installed, seconds=1, namespace=RUNS_IN)

    _all_completed_once(node, [here], RUNS_IN)
    remove(installed, "overlays/single-namespace")


def test_nothing_is_left_when_it_is_uninstalled(
    node: Cluster, before: Inventory, installed: Ground
) -> None:
    _create(node, installed, seconds=600)

    remove(installed)

    def check() -> None:
        assert Inventory.of(node).objects - before.objects == frozenset()
        assert not node.exists(DEFINITION)

    eventually(check, END_S)


def _set(kind: str, path: str, value: str) -> Object:
    """A patch that puts a value into the one object of a kind."""
    operation = {"op": "replace", "path": path, "value": value}
    return {"target": {"kind": kind}, "patch": json.dumps([operation])}


@contextmanager
def _load(cluster: Cluster, ground: Ground) -> Iterator[list[Object]]:
    """Keep some executions under way while the block works; gives them all after it."""
    created: list[Object] = []
    stop = Event()

    def work() -> None:
        while not stop.wait(PACE_S):
            if _count_under_way(cluster) < AT_ONCE:
                created.append(_create(cluster, ground, seconds=2))

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(work)
        try:
            yield created
        finally:
            stop.set()
            done.result()


def _count_under_way(cluster: Cluster) -> int:
    items = Objects(cluster, "workflowexecutions").list(TEAM)
    return sum(phase_of(item) not in TERMINAL for item in items)


def _create(cluster: Cluster, ground: Ground, seconds: int, namespace: str = TEAM) -> Object:
    workflow = {"workflowId": "wait", "version": "1", "containerImage": ground.bundles["wait"]}
    item = execution(
        unique_target(),
        namespace=namespace,
        workflowRef=workflow,
        parameters={"SECONDS": str(seconds)},
    )
    return Objects(cluster, "workflowexecutions").create(item)


def _all_completed_once(cluster: Cluster, created: list[Object], namespace: str = TEAM) -> None:
    """Wait until each of these has completed, and see that it had one run."""

    def check() -> None:
        phases = {
            name_of(item): phase_of(item)
            for item in Objects(cluster, "workflowexecutions").list(namespace)
        }
        found = {name_of(item): phases.get(name_of(item), "") for item in created}
        late = {name: phase for name, phase in found.items() if phase != "Completed"}
        assert not late, f"{len(late)} of {len(created)}: {late}"

    def statuses() -> str:
        runs = Objects(cluster, "pipelineruns").list(RUNS_IN)
        return "\n".join(f"{name_of(run)}: {json.dumps(run.get('status'))}" for run in runs[-8:])

    assert created
    eventually(check, END_S, dump=statuses)
    runs = Counter(
        run["metadata"]["labels"][UID] for run in Objects(cluster, "pipelineruns").list(RUNS_IN)
    )
    assert {runs[item["metadata"]["uid"]] for item in created} == {1}


def _in_phase(cluster: Cluster, item: Object, phase: str) -> None:
    found = Objects(cluster, "workflowexecutions").get(TEAM, name_of(item))
    assert found is not None
    assert phase_of(found) == phase


def _pods(cluster: Cluster) -> list[Object]:
    """The operator's pods that are not on their way out."""
    pods = Objects(cluster, "pods").list(NAMESPACE)
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def _digests(cluster: Cluster) -> set[str]:
    """The digests of the images that the pods run."""
    return {pod["spec"]["containers"][0]["image"].partition("@")[2] for pod in _pods(cluster)}


def _are_ready(cluster: Cluster, count: int) -> None:
    ready = [
        pod
        for pod in _pods(cluster)
        if any(status["ready"] for status in pod["status"].get("containerStatuses", []))
    ]
    assert len(ready) == count


def _leader(cluster: Cluster) -> str:
    """Name of the pod that leads."""

    def check() -> str:
        holder = str(cluster.request("GET", LEASE)["spec"].get("holderIdentity") or "")
        pod = holder.rpartition("_")[0]
        assert pod in [name_of(item) for item in _pods(cluster)], holder
        return pod

    return eventually(check, END_S)

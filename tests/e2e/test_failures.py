"""Failures as they really look: each scenario run on real Tekton, told in full."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import pytest

from e2e.recorder import record
from e2e.scenario import AT_WORK, Scenario
from e2e.scenarios import SCENARIOS
from e2e.watching import END_S, live_pods, task_runs, until_a_step_runs
from harness.executions import condition_of, name_of, unique_target
from harness.kubectl import kubectl
from harness.waiting import eventually
from harness.world import World
from localcluster import Cluster
from localcluster.bundles import push_bundle
from localcluster.cluster import Object

# The operator's leftover grace, and what it may take beyond it.
GRACE_S, MARGIN_S = 30, 15
TIMES = ("failedAt", "executionTimeBeforeFailure")


def _bundle(cluster: Cluster, scenario: Scenario) -> str:
    """Push the scenario's pipeline; bare image names become the cluster's, or nobody's."""
    registry = cluster.registry
    assert registry
    images = {
        "busybox": f"{registry}/shell:latest",
        "kubectl": f"{registry}/toolbox:latest",
        "nowhere": f"{registry}/nowhere:latest",
    }
    tasks = [_placed(task, images) for task in scenario.tasks]
    pipeline = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow"},
        "spec": {"params": [{"name": "TARGET_RESOURCE"}, *scenario.params], "tasks": tasks},
    }
    return push_bundle(registry, f"failing/{scenario.name}", objects=[pipeline])


def _placed(task: Object, images: Mapping[str, str]) -> Object:
    steps = [{**step, "image": images[step["image"]]} for step in task["taskSpec"]["steps"]]
    return {**task, "taskSpec": {**task["taskSpec"], "steps": steps}}


def _do(deed: str, world: World, run: Object) -> None:
    if deed:
        until_a_step_runs(world, run)
    if deed == "cancel":
        world.tekton.runs.patch(run, {"spec": {"status": "Cancelled"}})
    elif deed == "delete-pod":
        for pod in live_pods(world, run):
            _until_at_work(world, pod)
            world.tekton.pods.delete(pod)
    elif deed == "delete":
        world.tekton.runs.delete(run)


def _until_at_work(world: World, pod: Object) -> None:
    """Wait for what a step says: its container counts as running before that has begun."""
    where = f"--namespace={world.execution_namespace}"

    def check() -> None:
        told = kubectl(world.cluster, "logs", where, name_of(pod), "--all-containers")
        assert AT_WORK in told.stdout, told.stderr

    eventually(check, dump=world.dump)


@contextmanager
def _quota(world: World, hard: Mapping[str, str]) -> Iterator[None]:
    """Have a quota in the execution namespace for the block, enforced when the block begins."""
    if not hard:
        yield
        return
    path = f"/api/v1/namespaces/{world.execution_namespace}/resourcequotas"
    world.cluster.request("POST", path, {"metadata": {"name": "tight"}, "spec": {"hard": hard}})

    def is_enforced() -> None:
        assert world.cluster.request("GET", f"{path}/tight").get("status", {}).get("hard")

    eventually(is_enforced, END_S)
    try:
        yield
    finally:
        world.cluster.request("DELETE", f"{path}/tight")


def _since(status: Object) -> str:
    """The time at which its end was written."""
    succeeded = next(one for one in status["conditions"] if one["type"] == "Succeeded")
    return str(succeeded["lastTransitionTime"])


def _assert_held(world: World, item: Object, target: str) -> None:
    """The run has failed, its pod is there: nobody else may work on the target."""

    def is_stopping() -> None:
        assert condition_of(world.read(item), "Succeeded").get("reason") == "Stopping"

    eventually(is_stopping, END_S, dump=world.dump)
    other = world.ended(world.create(target, workflow="another"), "Skipped")
    assert other["status"]["skipDetails"]["reason"] == "ResourceBusy"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_failure_is_told_as_it_is(
    scenario: Scenario, node_world: World, node_cluster: Cluster
) -> None:
    target = unique_target()
    reference = _bundle(node_cluster, scenario)
    image = reference.split("@")[0]
    ref = {"workflowId": scenario.name, "version": "1", "containerImage": image, **scenario.ref}

    with _quota(node_world, scenario.quota):
        item = node_world.create(target, workflowRef=ref, **scenario.spec)
        run = node_world.run_of(item, END_S)
        _do(scenario.deed, node_world, run)
        if scenario.leaves_pod:
            _assert_held(node_world, item, target)
        status = node_world.ended(item, "Failed", END_S)["status"]

    record(scenario.name, node_world.run_now(run), task_runs(node_world, run))
    told = dict(status["failureDetails"])
    datetime.fromisoformat(told.pop("failedAt"))
    assert re.fullmatch(r"([0-9]+m)?[0-9]+s", told.pop("executionTimeBeforeFailure"))
    assert target in told["naturalLanguageSummary"]
    assert 3 <= len(re.findall(r"\.(?= |$)", told.pop("naturalLanguageSummary"))) <= 8
    assert re.search(scenario.expected["message"], told.pop("message"), re.DOTALL)
    assert told == {key: value for key, value in scenario.expected.items() if key != "message"}
    assert status["failureReason"] == told["reason"]
    assert live_pods(node_world, run) == []
    if scenario.leaves_pod:
        ended_at = datetime.fromisoformat(status["completionTime"])
        written_at = datetime.fromisoformat(_since(status))
        assert (written_at - ended_at).total_seconds() <= GRACE_S + MARGIN_S
        node_world.launched(target, workflow="another", workflowRef={**ref, "workflowId": "other"})

"""The cluster itself is disturbed: servers restarted, namespaces and the definition deleted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from faults import stories
from faults.load import Load
from faults.rig import rigged
from harness import rights
from harness.executions import condition_of, phase_of
from harness.kubectl import kubectl
from harness.kubelet import Kubelet
from harness.objects import create_namespace, delete_namespace
from harness.waiting import eventually, holds_for
from harness.world import World, open_world
from localcluster import Cluster, Tier, lifecycle
from localcluster.cluster import ApiError
from reliability import is_long, long_only
from reliability.tally import Tally

SCENARIO = "cluster"
TIMES = 5 if is_long() else 1
PER_S = 2.0
BETWEEN_S = 3.0
DRAINED_WITHIN_S = 60.0
CRD = Path(__file__).parents[2] / "manifests" / "crd" / "workflowexecutions.yaml"
FLAGS = ("--cooldown=1h", "--leftover-grace=1s", "--cancel-grace=2s")


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A cluster that nobody else uses."""
    with lifecycle.running(Tier.API) as cluster:
        rights.install(cluster)
        yield cluster


@pytest.fixture
def world(own_cluster: Cluster) -> Iterator[World]:
    with open_world(own_cluster, *FLAGS, trouble=True) as opened:
        yield opened


def kill(cluster: Cluster, program: str) -> None:
    """Kill one of the cluster's own programs; the cluster starts it again."""
    state = os.fsencode(str(cluster.state))
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if state in command and Path(os.fsdecode(command.split(b"\0")[0])).name == program:
                os.kill(int(entry.name), signal.SIGKILL)


def until_it_answers(cluster: Cluster) -> None:
    def check() -> None:
        try:
            cluster.request("GET", "/apis/tekton.dev/v1/pipelineruns?limit=1")
        except (ApiError, OSError) as error:
            raise AssertionError(str(error)) from error

    eventually(check, 60)


@pytest.mark.parametrize("program", ["kube-apiserver", "etcd"] if is_long() else ["etcd"])
def test_a_server_is_killed(world: World, program: str, tally: Tally) -> None:
    with rigged(world, [world.operator]) as rig, closing(Load(world, PER_S)) as load:
        for _ in range(TIMES):
            holds_for(lambda: None, BETWEEN_S)
            kill(world.cluster, program)
            holds_for(lambda: None, 1)
            until_it_answers(world.cluster)
        load.close()
        recovery_s = rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(tally, recovery_s=recovery_s)
        # A new API server tells of nothing before its start: after it, all is listed anew.
        if program == "etcd":
            assert rig.history.observer.gaps == 0, "not everything was seen"
        assert rig.restarts == 0


@long_only
def test_the_execution_namespace_is_deleted_and_made_anew(world: World, tally: Tally) -> None:
    """Lost runs are reported; executions that arrive meanwhile wait, and are launched."""
    with rigged(world, [world.operator]) as rig, closing(Load(world, PER_S)) as load:
        for _ in range(TIMES):
            holds_for(lambda: None, BETWEEN_S)
            delete_namespace(world.cluster, world.execution_namespace)
            eventually(lambda: _assert_no_namespace(world), 60)
            holds_for(lambda: None, 1)
            create_namespace(world.cluster, world.execution_namespace)
            rights.extend_to(world.cluster, world.execution_namespace)
        load.close()
        recovery_s = rig.drained(load, DRAINED_WITHIN_S)
        rig.judge(tally, recovery_s=recovery_s)
        assert rig.restarts == 0


def _assert_no_namespace(world: World) -> None:
    assert not world.cluster.exists(f"/api/v1/namespaces/{world.execution_namespace}")


@long_only
def test_the_definition_is_deleted_and_applied_anew(world: World, tally: Tally) -> None:
    """All executions are gone with it: their runs are ended, and new ones are served."""
    with closing(Kubelet(world.operator, is_patient=True)) as kubelet:
        for _ in range(TIMES):
            _, run = stories.launched(world, stories.target())
            world.tekton.begin(run)
            told = kubectl(world.cluster, "delete", "-f", str(CRD), "--wait=true")
            assert told.returncode == 0, told.stderr
            holds_for(lambda: None, BETWEEN_S)
            applied = kubectl(world.cluster, "create", "-f", str(CRD))
            assert applied.returncode == 0, applied.stderr

            def cancelled(uid: str = run["metadata"]["uid"]) -> None:
                now = {one["metadata"]["uid"]: one for one in world.runs()}.get(uid)
                assert now is None or now["spec"].get("status") == "Cancelled"

            eventually(cancelled, DRAINED_WITHIN_S, dump=world.dump)
            eventually(lambda: _is_served(world), DRAINED_WITHIN_S, dump=world.dump)
            tally.add(executions=2, restarts=kubelet.restarts)
        assert kubelet.restarts <= 2 * TIMES, kubelet.reasons
    eventually(lambda: _assert_ready(world), 30, dump=world.dump)


def _is_served(world: World) -> None:
    try:
        (item,) = stories.life(world, stories.target())
    except ApiError as error:
        raise AssertionError(str(error)) from error
    assert phase_of(item) == "Completed"
    assert condition_of(item, "Succeeded")["status"] == "True"


def _assert_ready(world: World) -> None:
    assert world.operator.ask("/readyz") == (200, "ok")

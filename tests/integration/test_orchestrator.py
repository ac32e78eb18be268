"""The reference orchestrator, with an orchestrator's rights, beside an operator at work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from go_types.decoder import decode_status
from harness.executions import IMAGE, phase_of, unique
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object, write_kubeconfig
from workflowexecution.orchestrator import (
    Request,
    Workflow,
    build_execution,
    execution_name,
    parse_request,
)

REPOSITORY = Path(__file__).parents[2]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE = "workflowexecution-orchestrator"
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def kubeconfig(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Access as an account that has the orchestrator's role in the executions' namespace."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "orchestrator"}}
    accounts = f"/api/v1/namespaces/{world.source}/serviceaccounts"
    world.cluster.request("POST", accounts, account)
    subject = {"kind": "ServiceAccount", "name": "orchestrator", "namespace": world.source}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "orchestrator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
        "subjects": [subject],
    }
    world.cluster.request("POST", f"{RBAC}/namespaces/{world.source}/rolebindings", binding)
    ask = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = world.cluster.request("POST", f"{accounts}/orchestrator/token", ask)["status"]["token"]
    path = tmp_path_factory.mktemp("orchestrator") / "kubeconfig"
    return write_kubeconfig(path, world.cluster.server, world.cluster.ca, token)


def new_request(world: World) -> Object:
    """A request as the API server holds it; any kind of object may be one."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": unique("request")}}
    path = f"/api/v1/namespaces/{world.source}/configmaps"
    created: Object = world.cluster.request("POST", path, body)
    return created


def order(request: Object, target: str, workflow: str = "restart") -> str:
    """The order for the orchestrator, as a line of JSON."""
    namespace, kind, name = target.split("/")
    return json.dumps(
        {
            "request": request,
            "workflow": {"workflow_id": workflow, "version": "v1", "container_image": IMAGE},
            "target": {"namespace": namespace, "kind": kind, "name": name},
        }
    )


class Orchestrator:
    """One run of it, under way."""

    def __init__(self, kubeconfig: Path, orders: list[str], deadline: float) -> None:
        paths = os.pathsep.join(str(REPOSITORY / root) for root in ("examples", "operator"))
        outside = {key: said for key, said in os.environ.items() if "proxy" not in key.lower()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reference_orchestrator", f"--deadline={deadline}"],
            env={**outside, "PYTHONPATH": paths, "KUBECONFIG": str(kubeconfig)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write("\n".join(orders))
        self.process.stdin.close()
        self.process.stdin = None

    def conclusions(self, exit_status: int = 0) -> tuple[dict[str, dict[str, Any]], Lines]:
        """Wait for its end; what it would do with each request, by name, and whom it would tell."""
        printed, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == exit_status, errors
        lines = [json.loads(line) for line in printed.splitlines()]
        said = {line["request"].partition("/")[2]: line for line in lines if "request" in line}
        return said, [line for line in lines if "notify" in line]


@contextmanager
def orchestrating(kubeconfig: Path, *orders: str, deadline: float = 40.0) -> Iterator[Orchestrator]:
    running = Orchestrator(kubeconfig, list(orders), deadline)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def only_run(world: World, target: str) -> Object:
    """Wait for the one run on a target."""

    def check() -> Object:
        (run,) = world.runs(target) or (None,)
        assert run is not None, "no run"
        return run

    return eventually(check, dump=world.dump)


def execution_of(world: World, request: Object) -> Object:
    found = world.executions.get(world.source, execution_name(request["metadata"]["name"]))
    assert found is not None
    return found


def concluded(
    world: World, kubeconfig: Path, request: Object, target: str
) -> tuple[dict[str, Any], Lines]:
    """The conclusion about one request whose execution needs no playing."""
    with orchestrating(kubeconfig, order(request, target)) as running:
        said, told = running.conclusions()
    decode_status(execution_of(world, request)["status"])
    return said[request["metadata"]["name"]], told


def test_of_two_requests_for_one_target_one_is_done_and_the_other_its_duplicate(
    world: World, kubeconfig: Path, target: str
) -> None:
    requests = [new_request(world), new_request(world)]
    with orchestrating(kubeconfig, *(order(one, target) for one in requests)) as running:
        run = world.tekton.begin(only_run(world, target))
        eventually(lambda: _some_is_skipped(world, requests), dump=world.dump)
        world.tekton.succeed(run)
        said, told = running.conclusions()

    (winner,) = [one for one in said.values() if one["standing"] == "Completed"]
    (loser,) = [one for one in said.values() if one["standing"] == "Skipped"]
    assert winner["nextStep"] == "Close"
    assert (loser["nextStep"], loser["reason"]) == ("CloseAsDuplicate", "ResourceBusy")
    assert (loser["duplicateOf"], loser["until"]) == (winner["execution"], None)
    assert told == [{"notify": winner["execution"], "duplicates": [loser["request"]]}]
    for request in requests:
        decode_status(execution_of(world, request)["status"])

    third = new_request(world)
    late, told = concluded(world, kubeconfig, third, target)
    assert (late["nextStep"], late["reason"]) == ("CloseAsDuplicate", "RecentlyRemediated")
    assert late["duplicateOf"] == winner["execution"]
    assert told == [{"notify": winner["execution"], "duplicates": [late["request"]]}]
    ended_at = execution_of(world, third)["status"]["skipDetails"]["recentRemediation"]
    cooldown_ends = datetime.fromisoformat(ended_at["completedAt"]) + timedelta(minutes=5)
    assert abs(datetime.fromisoformat(late["until"]) - cooldown_ends) <= timedelta(seconds=1)


def _some_is_skipped(world: World, requests: list[Object]) -> None:
    assert "Skipped" in [phase_of(execution_of(world, request)) for request in requests]


def test_a_failure_at_work_is_for_a_person(world: World, kubeconfig: Path, target: str) -> None:
    request = new_request(world)
    with orchestrating(kubeconfig, order(request, target)) as running:
        world.tekton.fail(world.tekton.begin(only_run(world, target)), exit_code=3)
        said, told = running.conclusions()

    (line,) = said.values()
    assert (line["standing"], line["nextStep"]) == ("Failed", "AskAPerson")
    assert (line["reason"], line["duplicateOf"], told) == ("TaskFailed", None, [])
    assert "half changed" in line["because"]
    decode_status(execution_of(world, request)["status"])


def test_a_failure_before_any_step_is_to_be_put_right(
    world: World, kubeconfig: Path, target: str
) -> None:
    request = new_request(world)
    with orchestrating(kubeconfig, order(request, target)) as running:
        world.tekton.refuse(only_run(world, target), "CouldntGetPipeline", "no such bundle")
        said, _ = running.conclusions()

    (line,) = said.values()
    assert (line["reason"], line["nextStep"]) == ("ConfigurationError", "FixThenRetry")
    decode_status(execution_of(world, request)["status"])


def test_an_orchestrator_that_is_run_again_finds_what_it_made(
    world: World, kubeconfig: Path, target: str
) -> None:
    request = new_request(world)
    with orchestrating(kubeconfig, order(request, target), deadline=3.0) as running:
        run = only_run(world, target)
        said, _ = running.conclusions(exit_status=1)
    (line,) = said.values()
    assert (line["standing"], line["nextStep"]) == ("InProgress", "Wait")

    world.tekton.succeed(world.tekton.begin(run))
    again, _ = concluded(world, kubeconfig, request, target)
    assert (again["execution"], again["standing"]) == (line["execution"], "Completed")
    assert len(world.runs(target)) == 1


def test_a_name_that_an_earlier_request_left_is_not_taken_over(
    world: World, kubeconfig: Path, target: str
) -> None:
    request = new_request(world)
    earlier = _built(parse_request(request), target)
    # Without an owner: one that no longer exists would have the object collected meanwhile.
    del earlier["metadata"]["ownerReferences"]
    world.executions.create(earlier)
    with orchestrating(kubeconfig, order(request, target)) as running:
        _, errors = running.process.communicate(timeout=60)
    assert running.process.returncode not in (0, None)
    assert "AlreadyExists" in errors


def test_a_retry_in_its_own_cooldown_is_no_duplicate_of_itself(
    world: World, kubeconfig: Path, target: str
) -> None:
    request = new_request(world)
    with orchestrating(kubeconfig, order(request, target)) as running:
        world.tekton.refuse(only_run(world, target), "CouldntGetPipeline", "no such bundle")
        running.conclusions()
    second = world.executions.create(_built(parse_request(request), target, attempt=2))
    world.ended(second, "Skipped")

    retry = json.loads(order(request, target)) | {"attempt": 2}
    with orchestrating(kubeconfig, json.dumps(retry)) as running:
        said, told = running.conclusions()
    (line,) = said.values()
    assert (line["reason"], line["nextStep"]) == ("RecentlyRemediated", "Retry")
    assert line["until"] is not None
    assert (line["duplicateOf"], told) == (None, [])


def _built(request: Request, target: str, attempt: int = 1) -> Object:
    selected = Workflow(workflow_id="restart", version="v1", container_image=IMAGE)
    return build_execution(request, selected, target, attempt=attempt)

"""`kubectl wfe support-bundle` collects as much as rights allow, and no planted secret."""

from __future__ import annotations

import tarfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import rights
from harness.executions import execution, name_of, unique_target
from harness.plugin_command import Answer, ask
from harness.world import World
from integration.plugin.test_doctor import SHIPPED
from localcluster.cluster import Object

SECRET = "hunter2-planted"


def content_of(archive: Path) -> dict[str, str]:
    """Its files, without the folder they are in."""
    with tarfile.open(archive) as opened:
        return {
            member.name.partition("/")[2]: file.read().decode()
            for member in opened
            if (file := opened.extractfile(member))
        }


def collect(
    world: World, archive: Path, *flags: str, kubeconfig: str = ""
) -> tuple[Answer, dict[str, str]]:
    told = ask(world, "support-bundle", "--file", str(archive), *flags, kubeconfig=kubeconfig)
    assert archive.exists(), told
    assert archive.stat().st_mode & 0o777 == 0o600
    return told, content_of(archive)


@pytest.fixture(scope="module")
def failed(world: World) -> Object:
    """It has failed, and a secret is in each place of it and its run that has room for one."""
    item = execution(
        unique_target(),
        namespace=world.source,
        parameters={"PASSWORD": SECRET, "NAMESPACE": world.source},
        rationale=f"because of {SECRET}",
    )
    last = "kubectl.kubernetes.io/last-applied-configuration"
    item["metadata"]["annotations"] = {last: SECRET, "example.com/token": SECRET}
    item["metadata"]["labels"] = {"example.com/owner": SECRET}
    made = world.in_phase(world.executions.create(item), "Running")
    run = world.run_of(made)
    env = [{"name": "PASSWORD", "value": SECRET}]
    steps = [{"name": "work", "image": "r.example/x", "script": SECRET, "env": env}]
    pipeline = {"tasks": [{"name": "one", "taskSpec": {"steps": steps}}]}
    run = world.tekton.runs.patch(run, {"status": {"pipelineSpec": pipeline}}, "status")
    event: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name_of(run)}.1", "namespace": world.execution_namespace},
        "involvedObject": {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "namespace": world.execution_namespace,
            "name": name_of(run),
        },
        "reason": "Odd",
        "type": "Warning",
        "message": f"webhook refused {SECRET}",
    }
    path = f"/api/v1/namespaces/{world.execution_namespace}/events"
    world.cluster.request("POST", path, event)
    world.tekton.refuse(run, "Failed", f"it said {SECRET}")
    return world.ended(made, "Failed")


def test_it_has_what_a_maintainer_asks_for(world: World, failed: Object, tmp_path: Path) -> None:
    told, files = collect(world, tmp_path / "bundle.tar.gz")
    assert "wrote" in told.out
    wanted = {"summary", "versions", "settings", "doctor", "executions", "runs", "events"}
    assert {f"{name}.yaml" for name in wanted} <= set(files)
    (found,) = [
        item
        for item in yaml.safe_load(files["executions.yaml"])
        if name_of(item) == name_of(failed)
    ]
    assert found["spec"]["parameters"] == {"PASSWORD": "(masked)", "NAMESPACE": "(masked)"}
    assert found["status"]["failureReason"] == failed["status"]["failureReason"]
    assert yaml.safe_load(files["settings.yaml"])["entries"][0]["settings"]["cooldown"] == "5m0s"
    reasons = [item["reason"] for item in yaml.safe_load(files["events.yaml"])]
    assert "WorkflowFailed" in reasons
    assert world.source in files["executions.yaml"]


@pytest.mark.parametrize("flags", [(), ("--with-messages",), ("-A",)])
def test_no_planted_secret_is_in_it(
    world: World, failed: Object, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    place = rights.OPERATOR_NAMESPACE
    path = f"/apis/apps/v1/namespaces/{place}/deployments"
    deployment = deepcopy(SHIPPED)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    url = f"http://user:{SECRET}@sink.example/?token={SECRET}"
    container["env"] += [
        {"name": "WFE_CLOUDEVENTS_SINK", "value": url},
        {"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": SECRET},
    ]
    world.cluster.request("POST", path, deployment)
    try:
        _, files = collect(world, tmp_path / "bundle.tar.gz", *flags)
    finally:
        world.cluster.request("DELETE", f"{path}/{name_of(deployment)}")
    assert name_of(failed) in files["executions.yaml"]
    assert "WFE_CLOUDEVENTS_SINK" in files["operator.yaml"]
    assert "WFE_COOLDOWN" in files["operator-settings.yaml"]
    assert [name for name, text in files.items() if SECRET in text] == []


def test_with_few_rights_it_has_less_and_says_what_is_missing(
    world: World, failed: Object, tmp_path: Path
) -> None:
    roles = {"workflowexecution-viewer": world.source}
    config = rights.kubeconfig_with_roles(world.cluster, world.source, "few", roles, tmp_path)
    told, files = collect(world, tmp_path / "bundle.tar.gz", kubeconfig=str(config))
    assert told.status == 4
    assert name_of(failed) in files["executions.yaml"]
    unread = yaml.safe_load(files["summary.yaml"])["unread"]
    assert any("the right to list pipelineruns" in line for line in unread), unread
    assert "the right to list pipelineruns" in told.err
    assert "runs.yaml" not in files


def test_a_file_that_is_there_is_kept(world: World, tmp_path: Path) -> None:
    archive = tmp_path / "bundle.tar.gz"
    archive.write_text("mine")
    told = ask(world, "support-bundle", "--file", str(archive))
    assert (told.status, archive.read_text()) == (2, "mine")
    assert "File exists" in told.err

"""Doctor reports what is missing, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from build_version import image_tag
from builders import NOW, ago, make_execution, raw_execution
from workflowexecution import __version__
from workflowexecution.api.crd import build_crd
from workflowexecution.api.reading import format_time
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.names import parse_shard
from workflowexecution.plugin.doctor import cluster, images, rights, running
from workflowexecution.plugin.doctor.check import (
    OPERATOR,
    Installation,
    State,
    environment_of,
    shard_of,
)

MANIFESTS = Path(__file__).parents[3] / "manifests"
INSTALLATION = Installation(
    execution_namespace="kubernaut-workflows",
    operator_namespace="kubernaut-system",
    runner="kubernaut-workflow-runner",
)


def shipped(kind: str, path: str = "rbac/controller.yaml") -> list[dict[str, Any]]:
    items = yaml.safe_load_all((MANIFESTS / path).read_text())
    return [item for item in items if item["kind"] == kind]


def test_the_operator_needs_what_it_is_given_and_nothing_else() -> None:
    given = {
        (group, resource, verb, item["metadata"].get("namespace", ""), name)
        for item in [*shipped("ClusterRole"), *shipped("Role")]
        for rule in item["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }
    installation = Installation(
        execution_namespace=INSTALLATION.execution_namespace,
        operator_namespace=INSTALLATION.operator_namespace,
        runner=INSTALLATION.runner,
        settings={"WFE_LEADER_ELECTION": "true"},
    )
    needed = rights.operator_rights(installation)
    assert {(r.group, r.resource, r.verb, r.namespace, r.name) for r in needed} == given


def test_an_operator_of_single_namespaces_needs_its_rights_there_only() -> None:
    (deployment,) = shipped("Deployment", "operator/deployment.yaml")
    told = environment_of(deployment) | {"WFE_WATCH_NAMESPACES": "team-a, team-b"}
    installation = Installation(
        execution_namespace="runs", operator_namespace="ops", runner="r", settings=told
    )
    assert {right.namespace for right in rights.operator_rights(installation)} == {
        "team-a",
        "team-b",
        "runs",
        "ops",
    }


def test_an_operator_of_another_name_is_found_with_its_account() -> None:
    """The chart's fullnameOverride and serviceAccount.name."""
    pod = {"spec": {"serviceAccountName": "bot"}}
    named = {"metadata": {"name": "other"}, "spec": {"template": pod}}
    installation = replace(INSTALLATION, deployments=[named])
    assert (installation.deployment, installation.account) == ("other", "bot")
    nothing_known = replace(INSTALLATION, deployments=())
    assert (nothing_known.deployment, nothing_known.account) == (OPERATOR, OPERATOR)


def test_without_the_right_to_publish_executions_run_and_answers_lack_the_settings() -> None:
    needed = rights.operator_rights(INSTALLATION)
    publish = [right for right in needed if right.resource == "configmaps"]
    found = rights.missing_rights_finding(publish, OPERATOR)
    assert found.state is State.WARNING
    assert "may not create, patch configmaps in kubernaut-workflows" in found.detail
    assert rights.missing_rights_finding([*publish, needed[0]], OPERATOR).state is State.ERROR


def test_missing_rights_are_told_by_what_they_are_over() -> None:
    missing = [
        rights.Right("tekton.dev", "pipelineruns", "get", "runs"),
        rights.Right("tekton.dev", "pipelineruns", "patch", "runs"),
        rights.Right("", "pods", "list"),
    ]
    told = rights.describe_rights(missing)
    assert told == "get, patch pipelineruns.tekton.dev in runs; list pods in all namespaces"


def test_a_runner_that_is_bound_nowhere_is_told_of() -> None:
    (binding,) = shipped("RoleBinding", "runner-in-namespace/rolebinding.yaml")
    assert rights.runner_finding([], INSTALLATION).state is State.WARNING
    assert rights.runner_finding(shipped("RoleBinding"), INSTALLATION).state is State.WARNING
    bound = {**binding, "metadata": {"namespace": "shop"}}
    found = rights.runner_finding([bound], INSTALLATION)
    assert (found.state, found.detail) == (State.OK, "kubernaut-workflow-runner in shop")


def test_another_definition_is_noticed() -> None:
    assert cluster.definition_finding(build_crd()).state is State.OK
    other = build_crd()
    del other["spec"]["versions"][0]["selectableFields"]
    found = cluster.definition_finding(other)
    assert (found.state, "kubectl apply -f crd.yaml" in found.fix) == (State.WARNING, True)


@pytest.mark.parametrize(
    ("age", "state"),
    [(5, State.OK), (59, State.OK), (61, State.WARNING), (-4, State.OK), (-6, State.ERROR)],
)
def test_a_nodes_clock_is_judged_by_its_lease(age: int, state: State) -> None:
    lease = {
        "metadata": {"name": "n"},
        "spec": {"renewTime": format_time(NOW - timedelta(seconds=age))},
    }
    assert cluster.nodes_finding([lease], NOW).state is state


def deployment(replicas: int, ready: int, image: str = "") -> dict[str, Any]:
    containers = [{"image": image or f"r.example/operator:v{image_tag(__version__)}"}]
    return {
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
        "status": {"readyReplicas": ready} if ready else {},
    }


@pytest.mark.parametrize(
    ("replicas", "ready", "state"),
    [(2, 2, State.OK), (2, 1, State.WARNING), (2, 0, State.ERROR), (0, 0, State.ERROR)],
)
def test_an_operator_without_pods_is_an_error(replicas: int, ready: int, state: State) -> None:
    assert running.readiness_of(deployment(replicas, ready), "ns/name").state is state


@pytest.mark.parametrize(
    ("image", "state"),
    [
        (f"r.example:5000/operator:{image_tag(__version__)}", State.OK),
        ("r.example:5000/operator@sha256:abc", State.OK),
        ("r.example/operator:v0.0.1", State.WARNING),
    ],
)
def test_an_operator_of_another_version_is_told_of(image: str, state: State) -> None:
    assert running.version_of(deployment(1, 1, image)).state is state


@pytest.mark.parametrize(
    ("shards", "state", "told"),
    [
        (["1/2", "2/2"], State.OK, "all 2 have an operator"),
        (["1/3", "3/3"], State.ERROR, "no operator has shard 2/3: nothing is launched"),
        (["3/4"], State.ERROR, "no operator has shard 1/4, 2/4, 4/4: nothing is launched"),
        (["1/1", "1/2"], State.WARNING, "several ways at once: 1/1, 1/2"),
        (["1/2", "2/2", "1/3"], State.WARNING, "several ways at once: 1/2, 1/3, 2/2"),
        (["1/2", "2/3"], State.ERROR, "no operator has shard 1/3, 3/3: nothing is launched"),
    ],
)
def test_targets_that_nobody_has_are_told_of(shards: list[str], state: State, told: str) -> None:
    (found,) = running.shard_findings([parse_shard(text) for text in shards])
    assert (found.state, told in found.detail) == (state, True), found.detail


def test_an_operator_that_shares_with_nobody_is_not_asked_for_its_shard() -> None:
    assert running.shard_findings([parse_shard("1/1")]) == []
    assert shard_of({}) == shard_of(sharing("nonsense")) == parse_shard("1/1")
    assert shard_of(sharing("2/3")) == parse_shard("2/3")


def sharing(shard: str) -> dict[str, Any]:
    variables = [{"name": "WFE_SHARD", "value": shard}]
    return {"spec": {"template": {"spec": {"containers": [{"env": variables}]}}}}


def test_an_operator_that_shares_needs_the_lease_of_its_shard() -> None:
    installation = Installation(
        execution_namespace="runs",
        operator_namespace="ops",
        runner="r",
        deployments=[sharing("1/2"), sharing("2/2")],
        settings={"WFE_LEADER_ELECTION": "true"},
    )
    leases = {
        r.name for r in rights.operator_rights(installation) if r.resource == "leases" and r.name
    }
    assert leases == {f"{OPERATOR}-1-of-2", f"{OPERATOR}-2-of-2"}


def test_a_leader_that_is_silent_leads_no_more() -> None:
    spec = {"holderIdentity": "a", "renewTime": format_time(ago(seconds=20))}
    assert running.leader_finding({"spec": spec}, NOW).state is State.OK
    silent = {**spec, "renewTime": format_time(ago(minutes=3))}
    found = running.leader_finding({"spec": silent}, NOW)
    assert (found.state, found.detail) == (State.ERROR, "a leads, and is silent for 3m")
    assert running.leader_finding({}, NOW).detail == "nobody leads"


@pytest.mark.parametrize(
    ("seconds", "state"), [(2, State.WARNING), (30, State.WARNING), (31, State.ERROR)]
)
def test_a_leader_that_let_go_is_given_time_to_be_followed(seconds: int, state: State) -> None:
    spec = {"holderIdentity": "", "renewTime": format_time(ago(seconds=seconds))}
    assert running.leader_finding({"spec": spec}, NOW).state is state


@pytest.mark.parametrize(
    ("holders", "watched", "state"),
    [
        ({}, (), State.OK),
        ({"kube-system": "runs", "team-a": "runs"}, (), State.OK),
        ({"kube-system": "runs", "team-a": "theirs"}, (), State.WARNING),
        ({"kube-system": "theirs"}, (), State.ERROR),
        ({"team-a": "theirs"}, ("team-a",), State.ERROR),
    ],
)
def test_what_others_have_claimed_is_told(
    holders: dict[str, str], watched: tuple[str, ...], state: State
) -> None:
    found = running.claims_finding(holders, "runs", watched)
    assert found.state is state
    assert ("kubectl delete workflowclaims" in found.fix) is (state is not State.OK)


def test_whose_claims_they_are_is_told_by_namespace() -> None:
    holders = {"team-b": "theirs", "team-a": "theirs", "team-c": "runs"}
    found = running.claims_finding(holders, "runs", ())
    assert found.detail == (
        "executions are left alone in namespace team-a: claimed by the installation whose runs are "
        "in theirs; namespace team-b: claimed by the installation whose runs are in theirs"
    )


def test_what_nobody_has_seen_for_a_while_is_told_of() -> None:
    old, new = raw_execution("old"), raw_execution("new")
    new["metadata"]["creationTimestamp"] = format_time(ago(seconds=10))
    assert running.unseen_finding([new], NOW).state is State.OK
    found = running.unseen_finding([old, new], NOW)
    told = "1 not seen by the operator, team-a/old for 1h"
    assert (found.state, found.detail) == (State.ERROR, told)


def test_a_pod_that_waits_for_its_image_is_named_once() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    status = {"image": "r.example/no:1", "state": {"waiting": waiting}}
    usual = {"image": "r.example/yes:1", "state": {"waiting": {"reason": "PodInitializing"}}}
    pod = {
        "metadata": {"namespace": "runs", "name": "p"},
        "status": {"initContainerStatuses": [status], "containerStatuses": [usual, status]},
    }
    (told,) = images.waiting_for_images([pod, {"status": {"containerStatuses": [usual]}}, {}])
    assert told == "pod runs/p: ImagePullBackOff r.example/no:1: not found"


def test_only_failures_of_a_day_for_want_of_an_image_are_told() -> None:
    def failed(name: str, hours: int) -> dict[str, Any]:
        execution = make_execution(name, phase=Phase.FAILED, completed_at=ago(hours=hours))
        details = {"reason": "ImagePullBackOff", "message": "no such image"}
        status = {**execution.raw["status"], "failureDetails": details}
        return {**execution.raw, "status": status}

    old, new = parse_execution(failed("old", 25)), parse_execution(failed("new", 2))
    assert images.failures_finding([old], NOW).state is State.OK
    found = images.failures_finding([old, new], NOW)
    assert found.detail.endswith("last team-a/new: no such image")
    assert shipped("Deployment", "operator/deployment.yaml")[0]["metadata"]["name"] == OPERATOR

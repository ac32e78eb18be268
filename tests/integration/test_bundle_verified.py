"""The digest that Tekton has fetched is compared with the one that the execution asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.executions import IMAGE, condition_of, unique
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

ASKED, OTHER = "a" * 64, "b" * 64
PIN = {
    "workflowId": "restart",
    "version": "v1",
    "containerImage": IMAGE,
    "containerDigest": f"sha256:{ASKED}",
}
API = "/apis/admissionregistration.k8s.io/v1"
PLURALS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
# Has every run of a namespace ask Tekton for another digest than the operator wrote.
CHANGE = (
    '[JSONPatch{op: "replace", path: "/spec/pipelineRef/params/0/value", '
    f'value: "{IMAGE}@sha256:{OTHER}"}}]'
)


@pytest.mark.parametrize(
    ("fetched", "status", "reason"),
    [(ASKED, "True", "DigestMatches"), (OTHER, "Unknown", "DigestOfIndex")],
)
def test_equal_digests_are_verified_and_those_of_an_index_are_no_alarm(
    world: World, target: str, fetched: str, status: str, reason: str
) -> None:
    item, run = world.launched(target, workflowRef=PIN)

    done = _fetched(world, item, run, fetched)

    found = condition_of(done, "BundleVerified")
    assert (found["status"], found["reason"]) == (status, reason)
    assert ("Warning", "DigestMismatch") not in _told(world, item)


@pytest.fixture
def changing(world: World) -> Iterator[None]:
    """A policy of the cluster that makes runs ask for another bundle."""
    name = unique("change")
    places = {"kubernetes.io/metadata.name": world.execution_namespace}
    rule = {
        "apiGroups": ["tekton.dev"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pipelineruns"],
    }
    objects: list[Object] = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "reinvocationPolicy": "Never",
                "matchConstraints": {
                    "namespaceSelector": {"matchLabels": places},
                    "resourceRules": [rule],
                },
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": CHANGE}}],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name},
        },
    ]
    for plural, body in zip(PLURALS, objects, strict=True):
        world.cluster.request("POST", f"{API}/{plural}", body)
    eventually(lambda: _assert_in_force(world))
    yield
    for plural in reversed(PLURALS):
        world.cluster.request("DELETE", f"{API}/{plural}/{name}")


def test_a_run_that_was_made_to_ask_for_another_bundle_is_told(
    world: World, target: str, changing: None
) -> None:
    item, run = world.launched(target, workflowRef=PIN)

    done = _fetched(world, item, run, OTHER)

    found = condition_of(done, "BundleVerified")
    assert (found["status"], found["reason"]) == ("False", "DigestMismatch")
    assert f"sha256:{ASKED}" in found["message"]
    assert f"sha256:{OTHER}" in found["message"]
    eventually(lambda: _assert_warned(world, item), dump=world.dump)


def _fetched(world: World, item: Object, run: Object, digest: str) -> Object:
    """The execution once its run has succeeded, of which Tekton reports this digest."""
    source = {"uri": "registry.example", "digest": {"sha256": digest}}
    world.tekton.begin(run)
    world.tekton.runs.patch(run, {"status": {"provenance": {"refSource": source}}}, "status")
    world.tekton.succeed(run)
    return world.ended(item, "Completed")


def _told(world: World, item: dict[str, object]) -> set[tuple[str, str]]:
    return {(event["type"], event["reason"]) for event in world.events_of(item)}


def _assert_warned(world: World, item: dict[str, object]) -> None:
    assert ("Warning", "DigestMismatch") in _told(world, item)


def _assert_in_force(world: World) -> None:
    params = [{"name": "bundle", "value": "untouched"}]
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": unique("probe")},
        "spec": {"pipelineRef": {"resolver": "bundles", "params": params}},
    }
    path = f"/apis/tekton.dev/v1/namespaces/{world.execution_namespace}/pipelineruns?dryRun=All"
    made = world.cluster.request("POST", path, run)
    assert made["spec"]["pipelineRef"]["params"][0]["value"] == f"{IMAGE}@sha256:{OTHER}"

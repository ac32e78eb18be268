"""The optional admission policies, all of them at once: what each refuses, and what goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from go_types import program
from harness import story
from harness.executions import name_of, unique
from harness.objects import Objects, delete_namespace
from harness.shipped_policies import (
    account,
    bare_run,
    changed,
    execution_in,
    in_force,
    reference,
    refusal,
    said_against,
)
from harness.waiting import eventually
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import Object
from localcluster.overlays import MANIFESTS
from workflowexecution.core import names

DIGEST = "sha256:" + "a" * 64
RUNNER = "kubernaut-workflow-runner"
SOURCES = ("registry.example", "other.example:5000/team")
TARGETS = ("payment", "Node/*")
USE_DRAINER = {
    "apiGroups": [""],
    "resources": ["serviceaccounts"],
    "resourceNames": ["drainer"],
    "verbs": ["use"],
}


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    """An operator at work under all policies."""
    with (
        open_world(bare_cluster, *story.FLAGS) as opened,
        in_force(opened, SOURCES, TARGETS),
    ):
        yield opened


@pytest.fixture(scope="module")
def creator(world: World) -> Objects:
    """Executions, for somebody who may do everything with them."""
    return Objects(account(world, "creator"), "workflowexecutions")


@pytest.fixture(scope="module")
def editor(world: World) -> Objects:
    """Runs, for somebody who may do everything with them."""
    return Objects(account(world, "editor"), "pipelineruns")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"workflowRef": reference("elsewhere.example/restart:v1")},
            "spec.workflowRef.containerImage: 'elsewhere.example/restart:v1' is not from a "
            "registry that is allowed here; use a bundle from one of: registry.example, "
            "other.example:5000/team",
        ),
        ({"workflowRef": reference("registry.example.evil/restart:v1")}, "allowed here"),
        ({"workflowRef": reference("registry.example:5000/restart:v1")}, "allowed here"),
        ({"workflowRef": reference("other.example:5000/teams/restart:v1")}, "allowed here"),
        ({"workflowRef": reference("restart:v1")}, "allowed here"),
        (
            {"targetResource": "kube-system/Deployment/dns"},
            "spec.targetResource: 'kube-system/Deployment/dns' may not be targeted from namespace ",
        ),
        (
            {"targetResource": "kube-system/Deployment/dns"},
            "or have kube-system listed for this one in the policy",
        ),
        ({"targetResource": "Deployment/payment"}, "or have Deployment/* listed"),
        # No kind: the name of a namespace that is listed opens nothing else.
        ({"targetResource": "payment/api"}, "or have payment/* listed"),
        (
            {"executionConfig": {"serviceAccountName": "drainer"}},
            "spec.executionConfig.serviceAccountName: 'drainer' may not be named by "
            "system:serviceaccount:",
        ),
        ({"executionConfig": {"serviceAccountName": "drainer"}}, "have the verb 'use' on that"),
    ],
)
def test_an_execution_is_refused(
    world: World, creator: Objects, spec: dict[str, Any], said: str
) -> None:
    assert said in refusal(creator, execution_in(world, **spec))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"workflowRef": reference("registry.example/deep/er/restart:v1", DIGEST)},
        {"workflowRef": reference(f"other.example:5000/team/restart@{DIGEST}")},
        {"targetResource": "Node/worker-1"},
        {"executionConfig": {"timeout": "5m"}},
        {"executionConfig": {"serviceAccountName": RUNNER}},
    ],
)
def test_an_execution_is_let_through(world: World, creator: Objects, spec: dict[str, Any]) -> None:
    assert refusal(creator, execution_in(world, **spec), dryRun="All") == ""


def test_a_namespace_that_is_not_listed_may_target_itself(world: World, creator: Objects) -> None:
    own, other = world.sources[1], "payment"

    def attempt(namespace: str) -> str:
        target = f"{namespace}/Deployment/{unique('app')}"
        item = execution_in(world, own, targetResource=target)
        return refusal(creator, item, dryRun="All")

    assert attempt(own) == ""
    assert "have payment listed for this one" in attempt(other)
    with changed(world, "target-namespaces", 0, {own: ["*"]}):
        eventually(lambda: _assert_said("", attempt(other)))
    eventually(lambda: _assert_said("have payment listed", attempt(other)))


def test_as_shipped_a_namespace_may_target_itself_alone(world: World, creator: Objects) -> None:
    def attempt(target: str) -> str:
        return refusal(creator, execution_in(world, targetResource=target), dryRun="All")

    with changed(world, "target-namespaces", 0, {}):
        eventually(lambda: _assert_said("have payment listed", attempt("payment/Deployment/a")))
        assert attempt(f"{world.source}/Deployment/a") == ""
    eventually(lambda: _assert_said("", attempt("payment/Deployment/a")))


def test_a_digest_can_be_required(world: World, creator: Objects) -> None:
    def attempt(image: str, digest: str = "") -> str:
        item = execution_in(world, workflowRef=reference(image, digest))
        return refusal(creator, item, dryRun="All")

    tagged = "registry.example/restart:v1"
    said = f"spec.workflowRef.containerDigest: missing, and '{tagged}' has no digest either"
    with changed(world, "bundle-sources", 1, True):
        eventually(lambda: _assert_said(said, attempt(tagged)))
        assert attempt(tagged, DIGEST) == attempt(f"{tagged}@{DIGEST}") == ""
    eventually(lambda: _assert_said("", attempt(tagged)))


def _assert_said(wanted: str, said: str) -> None:
    assert wanted in said
    assert bool(wanted) == bool(said), said


def test_a_right_to_use_an_account_lets_one_name_it(world: World) -> None:
    allowed = Objects(account(world, "drains", USE_DRAINER), "workflowexecutions")
    for name, is_allowed in (("drainer", True), ("painter", False)):
        item = execution_in(world, executionConfig={"serviceAccountName": name})
        assert (refusal(allowed, item, dryRun="All") == "") == is_allowed


def test_status_is_written_by_the_operator_alone(
    world: World, creator: Objects, target: str
) -> None:
    item, _ = world.launched(target)
    for somebody in (creator, world.executions):
        said = said_against(lambda by=somebody: by.patch(item, {"status": {}}, "status"))  # type: ignore[misc]
        assert "status: is written by the workflow operator only, not by " in said
    # What else one may do with an execution stays as it was.
    creator.patch(item, {"metadata": {"labels": {"seen": "yes"}}})


def test_a_rerun_that_copies_our_labels_is_refused(
    world: World, editor: Objects, target: str
) -> None:
    _, run = world.completed(target)
    meta = run["metadata"]
    for kept in ("labels", "annotations"):
        copied = bare_run(world, **{kept: meta[kept]})
        assert "to run a workflow again, create a WorkflowExecution" in refusal(editor, copied)
        for key in meta[kept]:
            assert refusal(editor, bare_run(world, **{kept: {key: meta[kept][key]}}), dryRun="All")
    named = bare_run(world, name=f"{name_of(run).rpartition('-')[0]}-7")
    assert "a name that the workflow operator gives" in refusal(editor, named)


def test_a_run_of_a_persons_own_holds_the_target_it_names(
    world: World, editor: Objects, target: str
) -> None:
    own = bare_run(world, labels={names.LABEL_MANAGED_BY: "Helm"})
    own["spec"]["params"] = [{"name": "TARGET_RESOURCE", "value": target}]
    editor.create(own)

    def is_busy() -> None:
        skipped = world.ended(world.create(target), "Skipped")
        assert skipped["status"]["skipDetails"]["reason"] == "ResourceBusy"

    is_busy()
    editor.delete(own)


def test_what_makes_a_run_ours_is_changed_by_nobody_else(
    world: World, editor: Objects, target: str
) -> None:
    _, run = world.launched(target)
    own = editor.create(bare_run(world))
    for item in (run, own):
        for kept, key in (
            ("labels", names.LABEL_MANAGED_BY),
            ("labels", names.KEY_TARGET_HASH),
            ("annotations", names.KEY_EXECUTION_UID),
        ):
            value = None if item is run else run["metadata"][kept][key]
            patch = {"metadata": {kept: {key: value}}}
            assert "only" in said_against(lambda to=patch, of=item: editor.patch(of, to))  # type: ignore[misc]
    # What people and other controllers do to our runs goes on.
    editor.patch(run, {"metadata": {"labels": {"tekton.dev/pipeline": "workflow"}}})
    editor.patch(run, {"metadata": {"finalizers": ["chains.tekton.dev/pipelinerun"]}})
    editor.patch(run, {"metadata": {"finalizers": None}})
    editor.patch(run, {"spec": {"status": "Cancelled"}})
    editor.delete(run)


def test_the_policy_knows_every_key_that_the_operator_sets() -> None:
    text = (MANIFESTS / "components/policy-operator-writes/runs.yaml").read_text()
    ours = {value for name, value in vars(names).items() if name.startswith("KEY_")}
    assert ours == set(re.findall(r"'(kubernaut\.ai/[a-z-]+)'", text))
    assert f"== '{names.MANAGED_BY}'" in text


def test_everything_that_the_operator_does_goes_on(world: World, target: str) -> None:
    began_at = world.proxy.mark()
    story.play(world, target)
    assert not [one.kind for one in world.proxy.since(began_at) if one.status in (403, 422)]


def test_an_orchestrator_in_go_is_refused_nothing(
    world: World, target: str, tmp_path: Path
) -> None:
    go, name = program.build(tmp_path), unique("from-go")
    answers = program.orchestrate(go, account(world, "orchestrator"), world.source, name, target)
    changed = answers.pop("change")
    assert {step: answer["said"] for step, answer in answers.items()} == dict.fromkeys(answers, "")
    assert "spec is immutable" in changed["said"]
    item = world.executions.get(world.source, name)
    assert item is not None
    world.in_phase(item, "Running")


def test_a_namespace_of_executions_goes_with_all_that_is_in_it(world: World) -> None:
    own = world.sources[1]
    active, run = world.launched(f"{own}/Deployment/{unique('app')}", namespace=own)
    delete_namespace(world.cluster, own)

    def is_gone() -> None:
        assert not world.cluster.exists(f"/api/v1/namespaces/{own}"), "still there"

    eventually(is_gone, 60)
    world.gone(active)
    eventually(lambda: _assert_cancelled(world, run), dump=world.dump)


def _assert_cancelled(world: World, run: Object) -> None:
    now = world.run_now(run)
    assert now is None or now["spec"].get("status") == "Cancelled"

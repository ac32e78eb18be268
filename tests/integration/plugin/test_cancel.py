"""`kubectl wfe cancel`: the run ends, and the record stays where it is wanted."""

import json
import re

from harness import rights
from harness.executions import condition_of, name_of, unique_target
from harness.plugin_command import ask
from harness.waiting import eventually
from harness.world import World
from localcluster.cluster import Object

REASON = "wrong target"
EXECUTIONS = {
    "apiGroups": ["workflowexecution.kubernaut.ai"],
    "resources": ["workflowexecutions"],
    "verbs": ["get", "delete"],
}


def assert_cancelled(world: World, run: dict[str, object]) -> None:
    def check() -> None:
        found = world.run_now(run)
        assert found is not None
        assert found["spec"].get("status") == "Cancelled"

    eventually(check, dump=world.dump)


def _assert_message(world: World, item: Object, said: str) -> None:
    assert said in condition_of(world.read(item), "Succeeded")["message"]


def _assert_event(world: World, item: Object, said: str) -> None:
    notes = [one["note"] for one in world.events_of(item) if one["reason"] == "WorkflowFailed"]
    assert [note for note in notes if said in note], notes


def test_a_run_that_another_cancelled_is_not_told_to_be_a_persons(world: World) -> None:
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    world.tekton.runs.patch(run, {"spec": {"status": "Cancelled"}})
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    ended = world.ended(item, "Failed")
    assert "audit log" in ended["status"]["failureDetails"]["naturalLanguageSummary"]
    assert "is Failed (Unknown)" in ask(world, "why", name_of(item)).out


def test_a_run_is_cancelled_and_its_execution_tells_of_it(world: World) -> None:
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    roles = {
        "workflowexecution-viewer": world.source,
        "workflowexecution-canceller": world.execution_namespace,
    }
    config = rights.kubeconfig_with_roles(
        world.cluster, world.sources[1], "canceller", roles, world.folder
    )
    who = f"system:serviceaccount:{world.sources[1]}:canceller"
    mark = world.proxy.mark()
    told = ask(world, "cancel", f"wfe/{name_of(item)}", "--reason", REASON, kubeconfig=str(config))
    place = f"{world.execution_namespace}/{name_of(run)}"
    said = f"{world.source}/{name_of(item)}: PipelineRun {place} is being cancelled\n"
    assert (told.status, told.out) == (0, said), told
    assert told.err.startswith("unknown: the last lines of its steps: the right to list taskruns")
    assert_cancelled(world, run)
    by = f"cancelled by {who}: {REASON}"
    eventually(lambda: _assert_message(world, item, by), dump=world.dump)
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    ended = world.ended(item, "Failed")
    details = ended["status"]["failureDetails"]
    assert details["reason"] == "Unknown"
    assert details["message"].startswith(by)
    assert by in details["naturalLanguageSummary"]
    assert "audit log" not in details["naturalLanguageSummary"]
    eventually(lambda: _assert_event(world, item, by), dump=world.dump)
    # The operator notes nothing and asks for nothing more than without a note.
    assert not [one for one in world.proxy.since(mark) if one.kind == "patch pipelineruns"]
    why = ask(world, "why", name_of(item))
    assert "is Failed (Cancelled)" in why.out
    assert by in why.out
    assert "Ask who cancelled it" in why.out
    story = ask(world, "describe", f"workflowexecution/{name_of(item)}")
    assert "Failed (Cancelled)" in story.out
    assert [
        line
        for line in story.out.splitlines()
        if re.search(f"cancelled +{re.escape(by[10:])}", line)
    ]
    listed = ask(world, "list")
    assert [
        line for line in listed.out.splitlines() if name_of(item) in line and "Cancelled" in line
    ]
    again = ask(world, "cancel", f"{world.source}/{name_of(item)}")
    assert (again.status, again.out) == (1, "")
    assert again.err.endswith("has ended: it is Failed\n")


def test_without_a_right_over_runs_deleting_does_it(world: World) -> None:
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    rules = {world.source: [EXECUTIONS]}
    config = rights.kubeconfig_of(world.cluster, world.sources[1], "stopper", rules, world.folder)
    refused = ask(world, "cancel", name_of(item), kubeconfig=str(config))
    assert refused.status == 4
    assert "the right to get pipelineruns.tekton.dev" in refused.err
    assert refused.err.endswith("with --delete no such right is needed\n")
    told = ask(world, "cancel", name_of(item), "--delete", kubeconfig=str(config))
    assert told.status == 0
    world.gone(item)
    assert_cancelled(world, run)


def test_a_run_that_was_deleted_by_hand_needs_no_cancelling(world: World) -> None:
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    pod = world.tekton.leave_pod(run)
    world.tekton.runs.delete(run)
    told = ask(world, "cancel", name_of(item))
    assert (told.status, told.out) == (1, "")
    assert "is deleted already; the execution fails once nothing of it executes" in told.err
    world.tekton.pods.delete(pod)
    world.tekton.stop_tasks(run)
    world.ended(item, "Failed")


def test_versions_are_told(world: World) -> None:
    told = ask(world, "version")
    assert told.status == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["plugin", "kubernetes", "tekton"]


def test_several_are_cancelled_and_told_of_though_one_is_not_there(world: World) -> None:
    launched = [world.launched(unique_target()) for _ in range(2)]
    for _, run in launched:
        world.tekton.begin(run)
    first, second = (name_of(item) for item, _ in launched)
    told = ask(world, "cancel", first, "nowhere", f"wfe/{second}", "--reason", REASON)
    assert (told.status, told.out.count(" is being cancelled")) == (3, 2), told
    assert "error: there is no WorkflowExecution 'nowhere' in namespace" in told.err
    for _, run in launched:
        assert_cancelled(world, run)
        world.tekton.obey_cancel(run)
        world.tekton.stop_tasks(run)
    for item, _ in launched:
        world.ended(item, "Failed")
    why = json.loads(ask(world, "why", first, second, "-o", "json").out)
    assert why["kind"] == "List"
    assert [item["reason"] for item in why["items"]] == ["Cancelled", "Cancelled"]
    story = ask(world, "describe", second, first)
    shown = [f"{world.source}/{name}" for name in (second, first)]
    assert [line.split()[1] for line in story.out.splitlines() if "Execution " in line] == shown

"""`submit` makes an execution from flags and files."""

import json
from pathlib import Path

import pytest

from builders import TARGET, ago, raw_run
from unit.plugin.played import Request, Terminal, Told
from unit.plugin.stage import RUNS, put_settings
from workflowexecution.client.paths import run_path, runs_path, settings_path
from workflowexecution.core import names
from workflowexecution.plugin.commands import submit

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("workflow", "stem"),
    [
        ("restart", "restart"),
        ("Scale/Up v2", "scale-up-v2"),
        ("", "execution"),
        ("__", "execution"),
    ],
)
def test_a_name_is_made_from_the_workflow(workflow: str, stem: str) -> None:
    name = submit._new_name(workflow)
    assert name.rpartition("-")[0] == stem
    assert submit._new_name(workflow) != name


def test_a_parameter_may_hold_equals_signs_and_needs_one() -> None:
    assert submit._parameters(["A=b=c", "E="]) == {"A": "b=c", "E": ""}
    with pytest.raises(ValueError, match="--parameter 'A' has no value; write it like REPLICAS=3"):
        submit._parameters(["A"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "is neither YAML nor JSON"),
        ("", "holds 0 objects"),
        ("a: 1\n---\nb: 2\n", "holds 2 objects"),
        ("- a\n", "holds 1 objects"),
        ("kind: Pod\n", "holds no WorkflowExecution"),
    ],
)
def test_a_file_that_is_no_execution_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=said):
        submit._read(file)


@pytest.fixture
def image(terminal: Terminal) -> str:
    """The bundle of a run that is there, whose pipeline declares REPLICAS."""
    asked = "registry.example/restart:v1@" + DIGEST
    params = [{"name": "bundle", "value": asked}]
    declared = [{"name": name} for name in ("TARGET_RESOURCE", "REPLICAS")]
    for slot, resolved in enumerate([{"params": []}, {"params": declared}, {}], 1):
        spec, status = {"pipelineRef": {"params": params}}, {"pipelineSpec": resolved}
        made = ago(minutes=10 - slot)
        run = raw_run("running", number=slot, created_at=made, spec=spec, status=status)
        run["metadata"]["labels"][names.KEY_WORKFLOW_ID] = "restart"
        terminal.server.objects[run_path(RUNS, run["metadata"]["name"])] = run
    return asked


def submitted(terminal: Terminal, image: str, *more: str) -> Told:
    where = ("--target", "shop/Deployment/x", "--workflow", "restart", "--version", "1")
    return terminal.ask("submit", *where, "--image", image, *more)


@pytest.mark.parametrize("asked", ["registry.example/restart:v1@", "mirror.example/other@"])
def test_what_the_last_run_of_the_bundle_did_not_declare_is_told(
    terminal: Terminal, image: str, asked: str
) -> None:
    told = submitted(terminal, asked + DIGEST, "-p", "REPLICA=3", "-o", "json")
    assert told.status == 0
    assert json.loads(told.out)["spec"]["parameters"] == {"REPLICA": "3"}
    assert " ".join(told.err.split()) == (
        "warning: the workflow declares no parameter REPLICA (did you mean REPLICAS?); it declares "
        f"REPLICAS (as its last run {RUNS}/{names.run_name(TARGET, 2)} shows)"
    )


@pytest.mark.parametrize(
    ("asked", "parameters", "is_refused"),
    [
        pytest.param("", ("-p", "REPLICAS=3"), False, id="declared"),
        pytest.param("registry.example/restart:v1", ("-p", "X=1"), False, id="another-bundle"),
        pytest.param("", ("-p", "X=1"), True, id="no-right"),
        pytest.param("", (), False, id="none-given"),
    ],
)
def test_nothing_is_told_that_is_not_known(
    terminal: Terminal, image: str, asked: str, parameters: tuple[str, ...], is_refused: bool
) -> None:
    if is_refused:
        terminal.server.refuse(Request("GET", runs_path(RUNS)))
    told = submitted(terminal, asked or image, *parameters)
    assert (told.status, told.err) == (0, "")
    reads = [item for item in terminal.server.asked if item.path == runs_path(RUNS)]
    assert len(reads) == bool(parameters)


def test_who_decides_on_it_nowhere_is_told(terminal: Terminal) -> None:
    put_settings(terminal.server, watch_namespaces=("team-b",))
    told = submitted(terminal, "registry.example/restart:v1")
    assert (told.status, "created" in told.out) == (0, True)
    assert told.err == (
        "warning: the operator does not serve namespace team-a, only team-b; -n names another "
        "namespace\n"
    )


@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_operator_that_is_not_known_is_no_reason_to_warn(
    terminal: Terminal, status: int
) -> None:
    terminal.server.answers["GET", settings_path(RUNS)] = (status, {"message": "no"})
    told = submitted(terminal, "registry.example/restart:v1")
    assert (told.status, told.err) == (0, "")

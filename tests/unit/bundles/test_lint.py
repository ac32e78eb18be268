"""Every convention of a bundle is checked, and what breaks it is named with the fix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundle_parts import good_bundle, parameter_of, step_of, write_bundle
from workflowexecution.bundles.folder import read_bundle
from workflowexecution.bundles.lint import lint

Output = pytest.CaptureFixture[str]
TEKTON = Path(__file__).parents[3] / "tekton"
FOLDERS = sorted(path.parent for path in TEKTON.glob("*/workflow.yaml"))
Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_our_own_bundles_are_good(folder: Path) -> None:
    assert lint(read_bundle(folder)) == []


def test_a_good_bundle_has_no_problem(tmp_path: Path) -> None:
    assert lint(read_bundle(write_bundle(tmp_path / "one", good_bundle()))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.pop("README.md"), "README.md: missing"),
        (lambda p: p.pop("role.yaml"), "role.yaml: missing"),
        (lambda p: p.pop("parameters.json"), "parameters.json: missing"),
        (lambda p: p["role.yaml"]["metadata"].update(name="admin"), "must be ClusterRole kub"),
        (lambda p: p["role.yaml"].update(rules=[{"verbs": ["*"]}]), "'*' gives rights"),
        (lambda p: p["parameters.json"].update(type=7), "no valid JSON Schema"),
        (lambda p: p["parameters.json"].pop("additionalProperties"), "must be false"),
        (lambda p: p["parameters.json"]["properties"].clear(), "SIZE: must be both here and"),
        (lambda p: parameter_of(p).update(default="2"), "default must be the Pipeline's '2'"),
        (lambda p: parameter_of(p).update(default="x"), "'x' does not satisfy its own schema"),
        (lambda p: parameter_of(p).pop("default"), "SIZE: is required exactly where"),
        (lambda p: parameter_of(p).update(name="size"), "name='size': must be UPPER_SNAKE_CASE"),
        (lambda p: p["workflow.yaml"]["spec"]["params"].pop(0), "TARGET_RESOURCE must be decl"),
        (lambda p: p["workflow.yaml"]["metadata"].update(name="x"), "exactly one, named workflow"),
        (lambda p: p["workflow.yaml"]["metadata"].clear(), "metadata.name: missing"),
        (lambda p: p["workflow.yaml"].update(apiVersion="v1"), "must be one of Tekton's"),
        (lambda p: p.update({"more.yaml": p["workflow.yaml"]}), "workflow: is there twice"),
        (
            lambda p: p.update(
                {
                    f"{number}.yaml": {
                        "apiVersion": "tekton.dev/v1",
                        "kind": "Task",
                        "metadata": {"name": f"task-{number}"},
                    }
                    for number in range(20)
                }
            ),
            "21 of them; Tekton takes 20",
        ),
        (lambda p: step_of(p).update(script="x" * 700_000), "the resolver can hand on 700000"),
        (
            lambda p: p["workflow.yaml"]["spec"]["tasks"].append(
                {"name": "other", "taskRef": {"name": "x"}}
            ),
            "task other: taskRef: looks in the cluster",
        ),
        (lambda p: step_of(p).update(image="a/b:1"), "image='a/b:1': must be pinned"),
        (lambda p: step_of(p).pop("name"), "step 1: name: missing"),
        (lambda p: step_of(p).update(script="$(params.SIZE)"), "would be run as code"),
        (lambda p: step_of(p).pop("computeResources"), "limits.memory: missing"),
        (lambda p: step_of(p)["securityContext"].pop("runAsNonRoot"), "runAsNonRoot=None"),
        (lambda p: step_of(p)["securityContext"].update(capabilities={}), "capabilities={}"),
    ],
)
def test_what_breaks_a_convention_is_named(tmp_path: Path, change: Change, words: str) -> None:
    parts = good_bundle()
    change(parts)

    problems = lint(read_bundle(write_bundle(tmp_path / "one", parts)))

    assert any(words in str(problem) for problem in problems), problems
    assert all(str(problem).startswith("one: ") for problem in problems)


DIGEST = f"sha256:{'b' * 64}"


def _pinned(bundle: str | None) -> dict[str, Any]:
    named = [{"name": "kind", "value": "task"}]
    return {
        "resolver": "bundles",
        "params": named if bundle is None else [*named, {"name": "bundle", "value": bundle}],
    }


REFERENCES: list[tuple[dict[str, Any] | None, str]] = [
    (None, "looks in the cluster"),
    ({"name": "x"}, "looks in the cluster"),
    ({"name": "x", "bundle": f"r.test/x@{DIGEST}"}, "looks in the cluster"),
    ({"apiVersion": "example.dev/v1", "kind": "Approval"}, "looks in the cluster"),
    *(
        (
            {"resolver": kind, "params": [{"name": "revision", "value": "main"}]},
            f"resolver='{kind}'",
        )
        for kind in ("git", "http", "cluster", "hub", "own")
    ),
    (_pinned(None), "bundle=None: must be pinned"),
    (_pinned("r.test/x:1"), "bundle='r.test/x:1': must be pinned"),
    (_pinned("r.test/x@sha256:abc"), "must be pinned"),
    (_pinned("$(params.BUNDLE)"), "must be pinned"),
    (_pinned(f"r.test/x@{DIGEST}$(params.X)"), "must be pinned"),
    (
        {
            "resolver": "bundles",
            "params": [
                *_pinned(f"r.test/x@{DIGEST}")["params"],
                {"name": "bundle", "value": "r.test/x:1"},
            ],
        },
        "bundle='r.test/x:1': must be pinned",
    ),
]


@pytest.mark.parametrize(("reference", "words"), REFERENCES)
@pytest.mark.parametrize("place", ["task", "pipeline", "finally", "nested", "step", "Task's step"])
def test_what_no_digest_pins_is_refused_wherever_it_stands(
    tmp_path: Path, reference: dict[str, Any] | None, words: str, place: str
) -> None:
    parts = good_bundle()
    field = _refer(parts, place, reference)
    problems = [
        str(problem) for problem in lint(read_bundle(write_bundle(tmp_path / "one", parts)))
    ]
    assert [item for item in problems if f"{field}" in item and words in item], problems


@pytest.mark.parametrize("place", ["task", "pipeline", "finally", "nested", "step", "Task's step"])
def test_what_a_digest_pins_may_be_elsewhere(tmp_path: Path, place: str) -> None:
    parts = good_bundle()
    _refer(parts, place, _pinned(f"r.test/x:1@{DIGEST}"))
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts))) == []


def _refer(parts: dict[str, Any], place: str, reference: dict[str, Any] | None) -> str:
    """Put a reference to a place; returns the name of its field."""
    spec = parts["workflow.yaml"]["spec"]
    if place in ("step", "Task's step"):
        step = {
            "name": "far",
            "ref": reference,
            "computeResources": step_of(parts)["computeResources"],
        }
        if place == "step":
            spec["tasks"][0]["taskSpec"]["steps"].append(step)
        else:
            parts["task.yaml"] = _object("Task", {"steps": [step]})
        return "ref"
    field = "pipelineRef" if place == "pipeline" else "taskRef"
    task = {"name": "far", field: reference}
    if place == "nested":
        spec["tasks"].append({"name": "inner", "pipelineSpec": {"tasks": [task]}})
    else:
        spec.setdefault("finally" if place == "finally" else "tasks", []).append(task)
    return field


def _object(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": kind.lower()}
    return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": meta, "spec": spec}


@pytest.mark.parametrize("field", ["script", "command", "args"])
@pytest.mark.parametrize("place", ["step", "nested", "template", "sidecar", "StepAction", "Task"])
@pytest.mark.parametrize(
    "text",
    [
        "$(params.SIZE)",
        "--x=$(params.SIZE)",
        "$(params['SIZE'])",
        '$(params["SIZE"])',
        "$(params.SIZE[*])",
        "$(inputs.params.SIZE)",
        "$(tasks.look.results.name)",
        "$(steps.look.results.name)",
    ],
)
def test_what_others_write_is_not_put_into_what_runs(
    tmp_path: Path, field: str, place: str, text: str
) -> None:
    parts = good_bundle()
    _put(parts, place, field, text)
    problems = [
        str(problem) for problem in lint(read_bundle(write_bundle(tmp_path / "one", parts)))
    ]
    assert [item for item in problems if f" {field}: a parameter or result" in item], problems


@pytest.mark.parametrize("place", ["step", "StepAction"])
@pytest.mark.parametrize(
    "text",
    [
        "$(context.taskRun.name)",
        "$(step.results.name.path)",
        "$(results.name.path)",
        "$(steps.look.exitCode.path)",
        "$(workspaces.data.path)",
        "$(date)",
        "$PARAMS",
        "${params.SIZE}",
    ],
)
def test_what_is_tektons_own_or_the_shells_may_stand_there(
    tmp_path: Path, place: str, text: str
) -> None:
    parts = good_bundle()
    for field in ("script", "args"):
        _put(parts, place, field, text)
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts))) == []


def _put(parts: dict[str, Any], place: str, field: str, text: str) -> None:
    given = {field: text if field == "script" else ["sh", "-c", text]}
    spec, step = parts["workflow.yaml"]["spec"], step_of(parts)
    task = spec["tasks"][0]["taskSpec"]
    own = {**step, **given}
    if place == "step":
        step.update(given)
    elif place == "nested":
        inner = [{"name": "inner", "taskSpec": {"steps": [own]}}]
        spec["tasks"].append({"name": "outer", "pipelineSpec": {"finally": inner}})
    elif place == "template":
        step.pop("script")
        task["stepTemplate"] = given
    elif place == "sidecar":
        task["sidecars"] = [own]
    elif place == "StepAction":
        action = parts.setdefault("action.yaml", _object("StepAction", {**step}))
        action["spec"].update(given)
    else:
        parts["more.yaml"] = _object("Task", {"steps": [own]})


@pytest.mark.parametrize("place", ["env", "default", "nested", "result", "Task", "StepAction"])
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("$$(params.SIZE)", "$$(params.SIZE)"),
        ("cost: $$(params.SIZE) in all", "$$(params.SIZE)"),
        ("$$$(params['SIZE'])", "$$(params['SIZE'])"),
        ("$$(inputs.params.SIZE)", "$$(inputs.params.SIZE)"),
        ("$$(tasks.look.results.name)", "$$(tasks.look.results.name)"),
        ("$$(params.SIZE", "$$(params.SIZE"),
    ],
)
def test_no_dollar_may_stand_before_what_others_write(
    tmp_path: Path, place: str, text: str, named: str
) -> None:
    parts = good_bundle()
    _write_into(parts, place, text)
    problems = [
        str(problem) for problem in lint(read_bundle(write_bundle(tmp_path / "one", parts)))
    ]
    assert [item for item in problems if f": {named!r}: a value that begins with '('" in item]


@pytest.mark.parametrize("text", ["$(params.SIZE)", "$ $(params.SIZE)", "$$(date)", "$$HOME", "$$"])
@pytest.mark.parametrize("place", ["env", "result"])
def test_other_dollars_may_stand_there(tmp_path: Path, place: str, text: str) -> None:
    parts = good_bundle()
    _write_into(parts, place, text)
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts))) == []


def _write_into(parts: dict[str, Any], place: str, text: str) -> None:
    """Put a text where Tekton replaces what is in it."""
    spec, step = parts["workflow.yaml"]["spec"], step_of(parts)
    env = {"env": [{"name": "COST", "value": text}]}
    if place == "env":
        step.update(env)
    elif place == "default":
        spec["tasks"][0]["taskSpec"]["params"] = [{"name": "X", "default": text}]
    elif place == "nested":
        inner = [{"name": "inner", "taskSpec": {"steps": [{**step, **env}]}}]
        spec["tasks"].append({"name": "outer", "pipelineSpec": {"finally": inner}})
    elif place == "result":
        spec["results"] = [{"name": "found", "value": text}]
    else:
        content = {**step, **env}
        parts["more.yaml"] = _object(
            place, content if place == "StepAction" else {"steps": [content]}
        )


# Of base64 with what Tekton writes around a script 131,071 bytes fit.
LONGEST = 98_125


def _scripts(parts: dict[str, Any], place: str, *lengths: int) -> None:
    step, spec = step_of(parts), parts["workflow.yaml"]["spec"]
    own = [{**step, "name": f"s{length}", "script": "#" * length} for length in lengths]
    task = spec["tasks"][0]["taskSpec"]
    if place == "steps":
        task["steps"] = own
    elif place == "sidecars":
        step.pop("script")
        step["command"] = ["true"]
        task["sidecars"] = own
    else:
        parts["more.yaml"] = _object("Task", {"steps": own})


@pytest.mark.parametrize("place", ["steps", "sidecars", "Task"])
@pytest.mark.parametrize("lengths", [(LONGEST + 1,), (50_000, 48_000), (150_000,)])
def test_scripts_that_do_not_fit_into_one_argument_are_refused(
    tmp_path: Path, place: str, lengths: tuple[int, ...]
) -> None:
    parts = good_bundle()
    _scripts(parts, place, *lengths)
    problems = [
        str(problem) for problem in lint(read_bundle(write_bundle(tmp_path / "one", parts)))
    ]
    assert [item for item in problems if "about 96 KiB of script; make them smaller" in item]


def test_scripts_that_fit_may_be_long_and_in_each_task(tmp_path: Path) -> None:
    parts = good_bundle()
    _scripts(parts, "steps", LONGEST)
    _scripts(parts, "Task", 50_000, 47_900)
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts))) == []


def test_a_script_counts_in_bytes(tmp_path: Path) -> None:
    parts = good_bundle()
    step_of(parts)["script"] = "\N{BLACK HEART SUIT}" * (LONGEST // 3 + 1)
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts)))


def test_the_image_of_a_step_action_is_pinned_and_confined(tmp_path: Path) -> None:
    parts = good_bundle()
    parts["action.yaml"] = _object("StepAction", {"image": "r.test/x:1"})
    problems = [
        str(problem) for problem in lint(read_bundle(write_bundle(tmp_path / "one", parts)))
    ]
    assert (
        "one: StepAction stepaction: image='r.test/x:1': must be pinned, as name@sha256:…"
        in problems
    )
    assert any("StepAction stepaction: securityContext" in problem for problem in problems)


def test_the_folders_name_is_the_workflows(tmp_path: Path) -> None:
    problems = lint(read_bundle(write_bundle(tmp_path / "Not_Good", good_bundle())))
    assert any("must be lower case letters" in str(problem) for problem in problems)


def test_the_step_template_counts_for_its_steps(tmp_path: Path) -> None:
    parts = good_bundle()
    step = step_of(parts)
    shared = {key: step.pop(key) for key in ("securityContext", "computeResources")}
    parts["workflow.yaml"]["spec"]["tasks"][0]["taskSpec"]["stepTemplate"] = shared
    assert lint(read_bundle(write_bundle(tmp_path / "one", parts))) == []

"""Children are assigned to their run, also through runs that are tasks of runs."""

from typing import Any

from builders import make_run, raw_task_run
from workflowexecution.client.cluster import Families
from workflowexecution.core.facts.run import Run
from workflowexecution.core.facts.taskrun import ChildKind

ONE, TWO = make_run("one"), make_run("two", number=2)


def child(name: str, parent: str, uid: str, task: str = "inner") -> dict[str, Any]:
    labels = {
        "tekton.dev/pipelineRun": parent,
        "tekton.dev/pipelineRunUID": uid,
        "tekton.dev/pipelineTask": task,
    }
    return {"metadata": {"name": name, "uid": f"uid-of-{name}", "labels": labels}}


def of(run: Run, name: str, task: str = "inner") -> dict[str, Any]:
    return child(name, run.name, run.uid, task)


def test_what_is_of_a_run_is_found_by_name_and_uid() -> None:
    families = Families([ONE, TWO])
    families.add(
        ChildKind.TASK_RUN,
        [of(ONE, "a"), of(TWO, "b"), child("c", ONE.name, "another"), child("d", "nobody", "x")],
    )
    families.add_pods([of(TWO, "p"), child("q", ONE.name, "another")])
    found = families.leftovers()
    assert [task.name for task in found[ONE.name].task_runs] == ["a"]
    assert [task.name for task in found[TWO.name].task_runs] == ["b"]
    assert [pod.name for pod in found[TWO.name].pods] == ["p"]
    assert found[ONE.name].pods == ()


def test_what_is_of_a_run_that_is_a_task_is_its_first_parents() -> None:
    families = Families([ONE])
    assert families.add_runs([of(ONE, "x", "outer"), child("y", "nobody", "")]) == ["x"]
    assert families.add_runs([child("z", "x", "uid-of-x", "middle"), of(ONE, "x")]) == ["z"]
    assert families.names() == [ONE.name, "x", "z"]
    families.add(ChildKind.TASK_RUN, [child("t", "z", "uid-of-z", "last")])
    families.add_pods([child("p", "z", "uid-of-z")])
    left = families.leftovers()[ONE.name]
    assert [(task.name, task.kind, task.called) for task in left.task_runs] == [
        ("x", ChildKind.RUN, "outer"),
        ("z", ChildKind.RUN, "outer/middle"),
        ("t", ChildKind.TASK_RUN, "outer/last"),
    ]
    assert [pod.name for pod in left.pods] == ["p"]


def test_a_task_run_without_labels_of_its_parents_uid_counts() -> None:
    raw = raw_task_run("check", "Unknown")
    raw["metadata"]["labels"]["tekton.dev/pipelineRun"] = ONE.name
    families = Families([ONE])
    families.add(ChildKind.TASK_RUN, [raw])
    assert families.leftovers()[ONE.name].is_active

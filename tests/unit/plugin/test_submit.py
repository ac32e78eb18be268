"""What `submit` makes of flags and files."""

from pathlib import Path

import pytest

from workflowexecution.plugin.commands import submit


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

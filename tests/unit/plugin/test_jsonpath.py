"""Templates of `-o jsonpath`, as kubectl reads them."""

import re
from typing import Any

import pytest

from workflowexecution.plugin.jsonpath import fill, values_at

LIST: dict[str, Any] = {
    "items": [
        {
            "metadata": {"name": "a", "labels": {"app.example/part": "x"}},
            "status": {"phase": "Failed", "count": 2, "ok": True},
            "conditions": [{"type": "Ready", "reason": "No"}, {"type": "Succeeded", "reason": "R"}],
        },
        {"metadata": {"name": "b"}, "status": {"phase": "Completed", "count": 5}},
    ]
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{.items[*].metadata.name}", "a b"),
        ("{$.items[0].status.count}", "2"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[5].metadata.name}", ""),
        ("{.items[0:1].metadata.name}", "a"),
        ("{.items[0,1].metadata.name}", "a b"),
        ('{range .items[*]}{.status.phase}{"\\t,\\n"}{end}', "Failed\t,\nCompleted\t,\n"),
        ("names: {.items[*]['metadata'].name}!", "names: a b!"),
        ("{.items[0].metadata.labels.app\\.example/part}", "x"),
        ("{.items[0].metadata.labels['app.example/part']}", "x"),
        ('{.items[?(@.status.phase=="Failed")].metadata.name}', "a"),
        ("{.items[?(@.status.count > 2)].metadata.name}", "b"),
        ("{.items[?(@.conditions)].metadata.name}", "a"),
        ("{.items[0].conditions[?(@.type=='Succeeded')].reason}", "R"),
        ("{..name}", "a b"),
        ("{.items[0].status}", '{"phase": "Failed", "count": 2, "ok": true}'),
        ("{.items[0].status.ok}", "true"),
        ("{.nothing.there}", ""),
        ("plain", "plain"),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert fill(template, LIST) == expected


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{.items", "has a brace without the other one"),
        ("{range .items[*]}x", "has no {end}"),
        ("{.items[x]}", "'[x]' cannot be read"),
        ("{.items[?(name)]}", "write it like"),
        ("{.items[?(@.a==b)]}", "write a text in quotes"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused(template: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fill(template, LIST)


@pytest.mark.parametrize("path", [".metadata.name", "metadata.name", "{.metadata.name}"])
def test_a_column_may_leave_out_braces_and_dot(path: str) -> None:
    assert values_at(path, LIST["items"][0]) == ["a"]

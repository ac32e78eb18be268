"""The patch that turns one status into another, by the rules of a JSON merge patch."""

from typing import Any

import pytest

from model_server import merge
from workflowexecution.core.status.compose import status_patch


@pytest.mark.parametrize(
    ("current", "wanted", "patch"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"phase": "A"}, {"phase": "A"}, {}, id="the-same"),
        pytest.param({}, {"phase": "A"}, {"phase": "A"}, id="added"),
        pytest.param({"phase": "A"}, {"phase": "B"}, {"phase": "B"}, id="changed"),
        pytest.param({"phase": "A"}, {}, {"phase": None}, id="removed"),
        pytest.param({"a": None}, {}, {"a": None}, id="null-before"),
        pytest.param({"c": [1, 2]}, {"c": [2]}, {"c": [2]}, id="lists-as-a-whole"),
        pytest.param(
            {"c": [{"a": 1}]}, {"c": [{"b": 1}]}, {"c": [{"b": 1}]}, id="objects-in-lists"
        ),
        pytest.param({"o": {"a": 1, "b": 2}}, {"o": {"a": 1}}, {"o": {"b": None}}, id="nested"),
        pytest.param(
            {"o": {"p": {"a": 1, "b": 2}, "q": 1}},
            {"o": {"p": {"a": 1}, "q": 1}},
            {"o": {"p": {"b": None}}},
            id="nested-twice",
        ),
        pytest.param({"o": 1}, {"o": {"a": 1}}, {"o": {"a": 1}}, id="value-to-object"),
        pytest.param({"o": {"a": 1}}, {"o": 1}, {"o": 1}, id="object-to-value"),
        pytest.param({"o": {"a": 1}}, {"o": {}}, {"o": {"a": None}}, id="object-to-empty-object"),
        pytest.param({}, {"o": {}}, {"o": {}}, id="empty-object"),
    ],
)
def test_patch_says_what_changes_and_nothing_else(
    current: dict[str, Any], wanted: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert status_patch(current, wanted) == patch
    assert merge(patch, current) == wanted

"""Which execution is meant, and how the API server is asked for some of many."""

import pytest

from workflowexecution.api.status import Phase
from workflowexecution.kube import errors
from workflowexecution.plugin.requests import is_kind_unknown, name_of_kind, selector_of, split_key
from workflowexecution.views.executions import Wanted


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("restart", ("", "restart")),
        ("team-a/restart", ("team-a", "restart")),
        (name_of_kind("restart"), ("", "restart")),
    ],
)
def test_a_name_is_taken_as_other_commands_print_it(text: str, key: tuple[str, str]) -> None:
    assert split_key(text) == key


@pytest.mark.parametrize(
    ("wanted", "selector"),
    [
        (Wanted(), ""),
        (Wanted(target="Node/worker-1"), ""),
        (Wanted(workflow_id="a,b=c\\d"), "spec.workflowRef.workflowId=a\\,b\\=c\\\\d"),
        (
            Wanted(workflow_id="restart", phases=[Phase.RUNNING, Phase.PENDING]),
            "spec.workflowRef.workflowId=restart,status.phase!=Completed,status.phase!=Failed,"
            "status.phase!=Skipped",
        ),
    ],
)
def test_the_api_server_selects_what_it_can(wanted: Wanted, selector: str) -> None:
    assert selector_of(wanted) == selector


def test_a_kind_that_is_not_served_is_no_missing_object() -> None:
    assert is_kind_unknown(errors.NotFoundError("GET /x: 404 404 page not found"))
    assert not is_kind_unknown(errors.NotFoundError('GET /x: 404 things "x" not found'))

"""Names in any form find their execution, and the API server selects some of many."""

from dataclasses import replace

import pytest

from unit.plugin.scripted import NOT_FOUND, json_of, scripted
from workflowexecution.api import identity
from workflowexecution.api.status import Phase
from workflowexecution.client.paths import execution_path
from workflowexecution.kube import errors
from workflowexecution.plugin.requests import (
    is_kind_unknown,
    name_of_hold,
    name_of_kind,
    read_execution,
    selector_of,
    split_key,
)
from workflowexecution.views.executions import Wanted


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("restart", ("", "restart")),
        ("team-a/restart", ("team-a", "restart")),
        (name_of_kind("restart"), ("", "restart")),
        ("wfe/restart", ("", "restart")),
        ("WFE/restart", ("", "restart")),
        ("workflowexecution/restart", ("", "restart")),
        ("workflowexecutions/restart", ("", "restart")),
        ("WorkflowExecution/restart", ("", "restart")),
        (f"wfe.{identity.GROUP}/restart", ("", "restart")),
        (f"workflowexecutions.{identity.GROUP}/restart", ("", "restart")),
        (f"workflowexecutions.v1alpha1.{identity.GROUP}/restart", ("", "restart")),
        ("wfes/restart", ("wfes", "restart")),
        ("workflowhold/restart", ("workflowhold", "restart")),
    ],
)
def test_a_name_is_taken_as_kubectl_and_other_commands_print_it(
    text: str, key: tuple[str, str]
) -> None:
    assert split_key(text) == key


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("freeze", "freeze"),
        ("wfh/freeze", "freeze"),
        ("workflowholds/freeze", "freeze"),
        (f"workflowhold.{identity.GROUP}/freeze", "freeze"),
        ("wfe/freeze", "wfe/freeze"),
    ],
)
def test_a_hold_is_named_as_kubectl_names_it(text: str, name: str) -> None:
    assert name_of_hold(text) == name


async def test_the_type_of_an_execution_is_no_namespace() -> None:
    async with scripted(json_of(NOT_FOUND, 404)) as (session, asked):
        with pytest.raises(errors.NotFoundError) as told:
            await read_execution(session, "wfe/repair")
    assert [one.path for one in asked] == [execution_path("team-a", "repair")]
    assert str(told.value) == (
        "there is no WorkflowExecution 'repair' in namespace team-a; wfe/ is its type here: "
        "-n wfe looks in that namespace; -A looks in all namespaces"
    )


async def test_two_namespaces_for_one_name_are_refused() -> None:
    async with scripted(json_of({"metadata": {"name": "repair"}})) as (session, asked):
        both = replace(session, asked_namespace="team-a")
        with pytest.raises(ValueError, match="in namespace team-b, and -n names team-a"):
            await read_execution(both, "team-b/repair")
        assert not asked
        assert await read_execution(both, "team-a/repair")


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

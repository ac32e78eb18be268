"""`kubectl wfe clear`: which objects are annotated, and what it says, for a failure of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from aiohttp import web

from builders import NOW, TARGET, ago, raw_execution, raw_run, run_status
from unit.plugin.scripted import NOT_FOUND, scripted
from workflowexecution.api.reading import format_time
from workflowexecution.plugin.commands.clear import clear
from workflowexecution.plugin.shell import CommandError

MAY_RUN: Final = f"cleared: workflow restart may run on target {TARGET} again; noted on "
Raw = dict[str, Any]


def failed(name: str = "mine", run: str = "", minutes: int = 2) -> Raw:
    """An execution that has failed, with or without a run."""
    status: Raw = {
        "phase": "Failed",
        "completionTime": format_time(ago(minutes=minutes)),
        "failureDetails": {"wasExecutionFailure": bool(run)},
    }
    if run:
        status["pipelineRunRef"] = {"name": run, "namespace": "runs"}
    return raw_execution(name, status=status)


def run_of(owner: str = "mine", minutes: int = 2) -> Raw:
    status = run_status("False", "Failed", completed_at=ago(minutes=minutes))
    return raw_run(owner, status=status)


RUN: Final = str(run_of()["metadata"]["name"])


class Cluster:
    """The objects of a cluster, and what was patched."""

    def __init__(self, *executions: Raw, runs: tuple[Raw, ...] = (), lacks: str = "") -> None:
        self.executions, self.runs, self.lacks = executions, runs, lacks
        self.patched: list[str] = []

    def __call__(self, request: web.Request) -> web.Response:
        """Answer one request."""
        kind, _, name = request.path.rpartition("/")
        if self.lacks and name == self.lacks:
            said = f'User "jane" cannot list resource "{name}" in API group "g"'
            return web.json_response({"message": f"{name} is forbidden: {said}"}, status=403)
        if request.method == "PATCH":
            self.patched.append(name)
            return _json({})
        if request.method == "POST":
            return _json({"status": {"userInfo": {"username": "jane"}}})
        lists: Mapping[str, tuple[Raw, ...]] = {
            "workflowexecutions": self.executions,
            "pipelineruns": self.runs,
        }
        if name in lists:
            return _json({"items": list(lists[name]), "metadata": {}})
        if kind.endswith("workflowexecutions"):
            found = [item for item in self.executions if item["metadata"]["name"] == name]
            return _json(found[0]) if found else web.json_response(NOT_FOUND, status=404)
        return _json({"items": [], "metadata": {}})


def _json(value: Any) -> web.Response:
    # The server's time is the time that the command counts with.
    return web.json_response(value, headers={"Date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT"})


async def said_by(cluster: Cluster, capsys: pytest.CaptureFixture[str], name: str = "mine") -> str:
    async with scripted(cluster) as (session, _):
        await clear(session, [name], "looked")
    return capsys.readouterr().out.strip().replace("\n", " ")


async def test_a_failure_is_noted_on_the_execution_and_on_its_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(failed(run=RUN), runs=(run_of(),))
    said = await said_by(cluster, capsys)
    assert said == f"{MAY_RUN}WorkflowExecution team-a/mine and PipelineRun {RUN}"
    assert cluster.patched == ["mine", RUN]


async def test_where_no_run_was_made_the_execution_alone_is_noted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(failed())
    assert await said_by(cluster, capsys) == f"{MAY_RUN}WorkflowExecution team-a/mine"
    assert cluster.patched == ["mine"]


async def test_a_refusal_does_not_hide_the_failure_that_cools_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(failed(run=RUN), failed("refused", minutes=1), runs=(run_of(),))
    assert (await said_by(cluster, capsys)).startswith(MAY_RUN)
    assert cluster.patched == ["refused", "mine", RUN]


async def test_who_may_clear_the_last_failure_alone_is_warned_about_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = failed("refused", minutes=1)
    cluster = Cluster(failed(run=RUN), refused, runs=(run_of(),), lacks="mine")
    async with scripted(cluster) as (session, _):
        await clear(session, ["refused"], "looked")
    told = capsys.readouterr()
    assert cluster.patched == ["refused", RUN]
    assert "WorkflowExecution team-a/mine keeps the workflow away again" in told.err.replace(
        "\n", " "
    )


async def test_who_may_not_see_holds_is_told_that_they_are_not_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster(failed(run=RUN), runs=(run_of(),), lacks="workflowholds")
    assert "whether a hold does is not known: " in await said_by(cluster, capsys)


async def test_what_did_not_fail_is_not_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    good = failed(run=RUN)
    good["status"]["phase"] = "Completed"
    cluster = Cluster(good)
    with pytest.raises(CommandError, match="only a failure can be cleared"):
        await said_by(cluster, capsys)
    assert cluster.patched == []

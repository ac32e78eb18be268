"""`kubectl wfe cancel`: one request that asks Tekton and notes who does so and why."""

import json
from typing import Any

import pytest
from aiohttp import web

from builders import NOW, raw_execution, raw_run, raw_task_run, run_status, step
from unit.plugin.scripted import BODY, Answer, json_of, scripted
from workflowexecution.api import identity
from workflowexecution.core.facts.execution import cancellation_of
from workflowexecution.core.facts.taskrun import LABEL_RUN_UID
from workflowexecution.plugin.commands.cancel import cancel
from workflowexecution.plugin.shell import CommandError, Exit, explain

RUN = raw_run("mine", status=run_status(tasks=("change",)))
NAME = RUN["metadata"]["name"]
MINE = raw_execution("mine", status={"phase": "Running", "pipelineRunRef": {"name": NAME}})
JANE = {"status": {"userInfo": {"username": "jane"}}}
FORBIDDEN = {
    "kind": "Status",
    "reason": "Forbidden",
    "message": 'pods "x" is forbidden: User "jane" cannot get resource "pods/log" in API group "" '
    'in the namespace "runs"',
}


def at_work() -> dict[str, Any]:
    running = step("apply", running={"startedAt": "2026-01-02T11:59:00Z"})
    raw = raw_task_run("change", "Unknown", "Running", steps=[step("look", 0), running])
    raw["metadata"]["labels"][LABEL_RUN_UID] = RUN["metadata"]["uid"]
    return {"metadata": {}, "items": [raw]}


def noted(patches: list[Any]) -> Answer:
    """The API server takes in the patch, which is kept."""

    def answer(request: web.Request) -> web.Response:
        patches.append(json.loads(request[BODY]))
        return web.json_response(RUN)

    return answer


def text_of(*lines: str) -> Answer:
    return lambda _: web.Response(text="".join(f"{line}\n" for line in lines))


async def test_the_last_lines_are_read_and_who_and_why_go_with_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    patches: list[Any] = []
    answers = [json_of(MINE), json_of(RUN), json_of(JANE), json_of(at_work())]
    async with scripted(*answers, text_of("one", "two"), noted(patches)) as (session, asked):
        assert await cancel(session, ["mine"], reason="wrong\n\ttarget\x1b[2J") is None
        now = session.now()
    assert [one.method for one in asked] == ["GET", "GET", "POST", "GET", "GET", "PATCH"]
    assert asked[4].query["container"] == "step-apply"
    ((patch),) = patches
    assert patch["spec"] == {"status": "Cancelled"}
    notes = patch["metadata"]["annotations"]
    assert notes[identity.CANCELLED_BY] == "jane"
    assert notes[identity.CANCEL_REASON] == "wrong target\N{REPLACEMENT CHARACTER}[2J"
    assert notes[identity.CANCELLED_AT].startswith(f"{now:%Y-%m-%dT%H:}")
    assert patch["metadata"]["uid"] == RUN["metadata"]["uid"]
    out = capsys.readouterr().out
    assert "is being cancelled\n\nLast lines of step change/apply:\n  one\n  two\n" in out


async def test_without_a_reason_that_of_an_earlier_request_is_removed() -> None:
    patches: list[Any] = []
    empty: dict[str, Any] = {"metadata": {}, "items": []}
    answers = [json_of(one) for one in (MINE, RUN, JANE, empty)]
    async with scripted(*answers, noted(patches)) as (session, _):
        await cancel(session, ["mine"])
    assert patches[0]["metadata"]["annotations"][identity.CANCEL_REASON] is None


async def test_without_a_right_to_logs_it_is_cancelled_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    patches: list[Any] = []
    answers = [json_of(MINE), json_of(RUN), json_of(JANE), json_of(at_work())]
    async with scripted(*answers, json_of(FORBIDDEN, 403), noted(patches)) as (session, _):
        assert await cancel(session, ["mine"], reason="wrong target") is None
    assert len(patches) == 1
    said = capsys.readouterr().err
    assert said.startswith("unknown: the last lines of its steps: the right to get pods/log ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "x" * 1025}, "--reason has 1025 characters; write at most 1024"),
        ({"reason": "why", "delete": True}, "--delete leaves no record: give one of them"),
    ],
)
async def test_a_reason_that_cannot_be_noted_is_refused(given: dict[str, Any], said: str) -> None:
    async with scripted(json_of(MINE)) as (session, asked):
        with pytest.raises((CommandError, ValueError), match=said) as told:
            await cancel(session, ["mine"], **given)
        assert explain(told.value)[0] is Exit.USAGE
        assert not asked


async def test_who_cannot_be_found_out_cancels_nothing() -> None:
    said = 'selfsubjectreviews is forbidden: User "jane" cannot create resource '
    refusal = {**FORBIDDEN, "message": said + '"selfsubjectreviews" in API group "x"'}
    answers = {
        json_of(refusal, 403): (Exit.FORBIDDEN, "the right to create selfsubjectreviews.x in all"),
        lambda _: web.Response(text="404 page not found", status=404): (
            Exit.ERROR,
            "this cluster does not tell users their names; Kubernetes does so from 1.28",
        ),
    }
    for answer, (status, why) in answers.items():
        async with scripted(json_of(MINE), json_of(RUN), answer) as (session, asked):
            with pytest.raises(CommandError, match="nothing is cancelled, because") as told:
                await cancel(session, ["mine"])
        assert told.value.status is status
        assert f"it is not known who you are: {why}" in str(told.value)
        assert str(told.value).endswith("--delete needs no name, and leaves no record")
        assert [one.method for one in asked] == ["GET", "GET", "POST"]


async def test_one_that_is_cancelled_already_keeps_its_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = {**RUN, "spec": {"status": "Cancelled"}}
    joe = cancellation_of("joe", NOW, "too slow").annotations()
    run["metadata"] = {
        **RUN["metadata"],
        "annotations": {**RUN["metadata"]["annotations"], **joe},
    }
    async with scripted(json_of(MINE), json_of(run)) as (session, asked):
        assert await cancel(session, ["mine"], reason="mine is better") is None
    assert len(asked) == 2
    assert capsys.readouterr().out.endswith(
        "is being cancelled already, by joe: too slow; your reason is not noted\n"
    )


@pytest.mark.parametrize(
    ("execution", "then"),
    [
        (MINE, "the operator cancels its run"),
        (raw_execution("mine", status={"phase": "Pending"}), "no run of it is known"),
    ],
)
async def test_a_deletion_says_what_becomes_of_the_run(
    capsys: pytest.CaptureFixture[str], execution: dict[str, Any], then: str
) -> None:
    async with scripted(json_of(execution), json_of({})) as (session, asked):
        assert await cancel(session, ["mine"], delete=True) is None
    assert asked[-1].method == "DELETE"
    assert capsys.readouterr().out == f"team-a/mine is deleted; {then}\n"

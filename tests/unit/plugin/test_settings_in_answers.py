"""Commands decide by the settings that the operator publishes, or say that these are not known."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from builders import TARGET, make_policy, raw_execution, raw_spec
from unit.plugin.scripted import NOT_FOUND, group_list, scripted
from workflowexecution.api.identity import CLEAR_ANNOTATION
from workflowexecution.api.reading import format_time
from workflowexecution.core.guards import Guards
from workflowexecution.core.names import Shard, parts_of, target_key
from workflowexecution.core.policy import Published, settings_of
from workflowexecution.plugin.commands.blockers import list_cooldowns
from workflowexecution.plugin.commands.why import can_run, tell_why
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import CommandError, Exit

SETTINGS = "/api/v1/namespaces/runs/configmaps/workflowexecution-settings"
FORBIDDEN = {
    "kind": "Status",
    "message": 'configmaps "workflowexecution-settings" is forbidden: User "anna" cannot get '
    'resource "configmaps" in API group "" in the namespace "runs"',
    "reason": "Forbidden",
}
LACKING = (
    "the operator's settings are not known: the right to get configmaps in namespace runs is "
    "missing; the ClusterRole workflowexecution-run-reader gives it"
)
NOT_PUBLISHED = (
    "the operator's settings are not known: no operator has published any in ConfigMap "
    "runs/workflowexecution-settings; see kubectl wfe doctor"
)


@dataclass
class Answer:
    """The output of a command, its exit status, and the number of reads of the settings."""

    out: str
    err: str
    status: Exit | None
    reads: int


Ask = Callable[..., Awaitable[Answer]]


def failed(seconds: float = 10, *, is_cleared: bool = False) -> dict[str, Any]:
    """An execution that failed at work so long ago, by the real clock."""
    ended = datetime.now(UTC) - timedelta(seconds=seconds)
    status = {
        "phase": "Failed",
        "startTime": format_time(ended - timedelta(minutes=1)),
        "completionTime": format_time(ended),
        "pipelineRunRef": {"name": "wfe-0123456789abcdef-1"},
        "failureDetails": {"reason": "TaskFailed", "message": "x", "wasExecutionFailure": True},
    }
    item = raw_execution("broken", spec=raw_spec(TARGET), status=status)
    if is_cleared:
        item["metadata"]["annotations"] = {CLEAR_ANNOTATION: "jane: looked"}
    return item


def completed(seconds: float) -> dict[str, Any]:
    """The same, where it completed."""
    item = failed(seconds)
    del item["status"]["failureDetails"]
    item["status"]["phase"] = "Completed"
    return item


def published(
    shard: Shard | None = None, minutes: float = 1, problem: str = "", **policy: Any
) -> dict[str, str]:
    shard = shard or Shard()
    entry = Published(
        shard=shard,
        version="1.2.3",
        written_at=datetime.now(UTC) - timedelta(minutes=minutes),
        problem=problem,
        settings=settings_of(make_policy(**policy), timedelta(minutes=10)),
    )
    return {f"shard-{shard.number}-of-{shard.of}": entry.to_text()}


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command at an API server with these executions and this data of the ConfigMap."""

    async def run(
        command: Callable[..., Awaitable[Exit | None]],
        *executions: dict[str, Any],
        data: dict[str, str] | int,
        **given: Any,
    ) -> Answer:
        def answer(request: web.Request) -> web.Response:
            if request.path == SETTINGS:
                if isinstance(data, int):
                    return web.json_response(FORBIDDEN if data == 403 else NOT_FOUND, status=data)
                return web.json_response({"data": data})
            if request.path in ("/api", "/apis"):
                return web.json_response(group_list("apps", "deployments", "Deployment"))
            if request.path.endswith("/workflowexecutions/broken"):
                return web.json_response(executions[0])
            is_list = request.path.endswith("/workflowexecutions")
            return web.json_response({"items": executions if is_list else []})

        async with scripted(answer) as (session, asked):
            status = await command(session, **given)
        said = capsys.readouterr()
        reads = [one for one in asked if one.path == SETTINGS]
        return Answer(said.out, said.err, status, len(reads))

    return run


async def may_run(session: Session) -> Exit | None:
    return await can_run(session, TARGET, "restart")


async def why(session: Session) -> Exit | None:
    return await tell_why(session, ["broken"])


GUARDED: dict[str, Any] = {"cooldown": timedelta(seconds=20), "guards": Guards(failed=True)}


async def test_guard_and_cooldown_are_named_as_they_are_set(ask: Ask) -> None:
    told = await ask(may_run, failed(), data=published(**GUARDED))
    assert told.out.startswith("no (PreviousExecutionFailed): ")
    assert (told.status, told.err, told.reads) == (Exit.SKIPPED, "", 1)
    told = await ask(may_run, completed(10), data=published(**GUARDED))
    assert told.out.startswith("no (RecentlyRemediated): ")
    for over in (failed(30, is_cleared=True), completed(30)):
        told = await ask(may_run, over, data=published(**GUARDED))
        assert (told.out[:4], told.status) == ("yes:", Exit.OK)


async def test_why_names_the_same_reason_and_time(ask: Ask) -> None:
    told = await ask(why, failed(), data=published(**GUARDED))
    assert "The same may run    once a person clears it: kubectl wfe clear" in told.out
    assert (told.err, told.reads) == ("", 1)
    told = await ask(why, completed(10), data=published(**GUARDED))
    seconds = int(told.out.rpartition("The same may run")[2].split()[1].rstrip("s,"))
    assert 5 <= seconds <= 10
    told = await ask(why, failed(30, is_cleared=True), data=published(**GUARDED))
    assert told.out.split()[-1] == "now"


@pytest.mark.parametrize(
    ("data", "status", "unknown"),
    [
        (403, Exit.FORBIDDEN, LACKING),
        (404, Exit.ERROR, NOT_PUBLISHED),
        ({}, Exit.ERROR, "no operator has published any for target"),
        ({"shard-1-of-1": '{"shard": "1/1"}'}, Exit.ERROR, "does not publish its cooldown and"),
        ({"shard-1-of-1": "{"}, Exit.ERROR, "shard-1-of-1: Invalid JSON"),
    ],
)
async def test_without_settings_no_reason_and_no_time_is_invented(
    ask: Ask, data: dict[str, str] | int, status: Exit, unknown: str
) -> None:
    told = await ask(may_run, failed(), data=data)
    assert told.status is status
    assert told.out.startswith("unknown: workflow restart ended last on target")
    assert unknown in told.out
    assert "RecentlyRemediated" not in told.out

    told = await ask(why, failed(), data=data)
    assert "broken is Failed" in told.out
    assert "The same may run    unknown: workflow restart ended last" in told.out
    assert unknown in " ".join(told.out.split())
    # Without settings that somebody could publish, the rest of the answer is all there is.
    assert told.status == (Exit.FORBIDDEN if data == 403 else None)

    told = await ask(list_cooldowns, failed(), data=data)
    assert (told.status, told.out, "nothing" in told.err) == (status, "", False)
    assert told.err.startswith("unknown: what cools down: ")
    assert unknown in told.err


async def test_what_depends_on_no_setting_is_answered_without(ask: Ask) -> None:
    told = await ask(may_run, data=403)
    assert (told.out[:4], told.status, told.err) == ("yes:", Exit.OK, "")
    told = await ask(list_cooldowns, data=403)
    assert (told.out, told.err) == ("", "nothing cools down\n")


async def test_why_of_an_execution_that_was_refused_is_not_certain_without_settings(
    ask: Ask,
) -> None:
    refused = failed()
    del refused["status"]["pipelineRunRef"]
    told = await ask(why, refused, data=404)
    assert "The same may run    unknown\n" in told.out
    assert told.err == f"unknown: when the same may run again: {NOT_PUBLISHED}\n"
    assert told.status is None
    told = await ask(why, refused, data=403)
    assert told.err == f"unknown: when the same may run again: {LACKING}\n"
    assert told.status is Exit.FORBIDDEN


async def test_cooldowns_are_those_of_the_shard_that_holds_the_target(ask: Ask) -> None:
    mine = next(shard for shard in parts_of(2) if shard.holds(target_key(TARGET)))
    (other,) = [shard for shard in parts_of(2) if shard != mine]
    short, long = timedelta(seconds=5), timedelta(hours=1)
    told = await ask(
        list_cooldowns,
        failed(),
        data=published(mine, cooldown=short) | published(other, cooldown=long),
    )
    assert (told.out, told.err, told.reads) == ("", "nothing cools down\n", 1)
    told = await ask(
        list_cooldowns,
        failed(),
        data=published(mine, cooldown=long) | published(other, cooldown=short),
    )
    assert f"{TARGET}   restart    59m" in told.out


async def test_old_settings_are_used_and_said_to_be_old(ask: Ask) -> None:
    for command in (may_run, why, list_cooldowns):
        told = await ask(command, failed(), data=published(minutes=60))
        assert told.err.startswith("warning: the operator's settings are as of 20")
        assert "UTC, 1h ago: it may not be running; see kubectl wfe doctor" in told.err


async def test_a_problem_of_the_operator_is_repeated(ask: Ask) -> None:
    told = await ask(may_run, data=published(problem="the watch of runs is silent"))
    assert told.out.startswith("yes: ")
    assert "the watch of runs is silent; until that is over it may decide nothing" in told.err


async def test_in_a_namespace_that_is_not_served_nothing_may_run(ask: Ask) -> None:
    data = published(watch_namespaces=("team-b",))
    with pytest.raises(CommandError, match="does not serve namespace team-a, only team-b"):
        await ask(may_run, data=data)
    told = await ask(why, failed(), data=data)
    assert "The same may run    not in this namespace\n" in told.out
    assert "does not serve namespace team-a" in told.err


async def test_a_service_account_that_the_operator_does_not_allow_is_refused(ask: Ask) -> None:
    template = make_policy().template
    allowed = type(template)(
        namespace=template.namespace,
        allowed_service_accounts=frozenset({"special"}),
        security_context={},
        finally_timeout=template.finally_timeout,
    )
    told = await ask(why, failed(), data=published(template=allowed))
    assert "not with this spec: spec.executionConfig.serviceAccountName" in told.out

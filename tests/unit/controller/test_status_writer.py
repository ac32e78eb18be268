"""The one write of a status: what is sent, and what follows from each answer."""

from collections.abc import AsyncIterator

import pytest

from builders import NOW, TARGET, ago, failed_execution, make_policy, make_run, raw_execution
from reconcile_desk import Desk
from workflowexecution.controller.status_writer import StatusWriter
from workflowexecution.core.guards import Guards
from workflowexecution.core.status.failures import outcome_of_refusal
from workflowexecution.core.status.outcome import outcome_of_progress
from workflowexecution.core.verdict import Refuse
from workflowexecution.kube import errors

NO_ANSWER = errors.UnavailableError("no answer")
REFUSED = errors.RejectedError("the object is invalid", status=422)
PROGRESS = outcome_of_progress(make_run("mine"))


class Table(Desk):
    """A desk with a status writer of its own."""

    def __init__(self) -> None:
        super().__init__(make_policy(guards=Guards(retry_limit=3)))
        context = self.controller.context
        self.recorder = context.recorder
        self.writer = StatusWriter(context, self.reader())

    async def told(self) -> list[str]:
        """The reasons of the Events so far."""
        await self.recorder.close(grace=1)
        return self.cluster.events


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    table = Table()
    yield table
    await table.recorder.close(grace=1)


async def test_what_was_written_is_known_at_once_and_its_echo_is_no_news(table: Table) -> None:
    await table.writer.write(table.has_execution(raw_execution()), PROGRESS)
    known = table.store.execution("uid-of-mine")
    assert known is not None
    assert (table.asked(), known.phase, table.status()["phase"]) == (
        ["patch status"],
        "Running",
        "Running",
    )
    assert table.memory.wrote("uid-of-mine", known.resource_version)
    assert await table.told() != []


async def test_nothing_is_written_where_nothing_has_changed(table: Table) -> None:
    await table.writer.write(table.has_execution(raw_execution()), PROGRESS)
    known = table.store.execution("uid-of-mine")
    assert known is not None
    await table.writer.write(known, PROGRESS)
    assert table.asked() == ["patch status"]


async def test_one_more_failure_before_it_began_is_counted(table: Table) -> None:
    before = failed_execution(had_begun=False, count=1, completed_at=ago(minutes=30))
    table.store.observe_execution(before, now=NOW)
    execution = table.has_execution(raw_execution())
    await table.writer.write(execution, outcome_of_refusal(execution, Refuse("it is wrong"), NOW))
    assert table.status()["consecutiveFailures"] == 2
    assert table.status()["nextAllowedExecution"] == "2026-01-02T12:02:00Z"
    # The failure says the same to people, with the command that lifts it.
    said = table.status()["failureDetails"]["naturalLanguageSummary"]
    assert said.endswith(
        f"Workflow restart may run on {TARGET} again from 2026-01-02 12:02:00 UTC; to lift that "
        f"earlier, once somebody has looked: kubectl wfe clear -n team-a {execution.name}"
    )
    (condition,) = [one for one in table.status()["conditions"] if one["type"] == "Succeeded"]
    assert condition["message"] == said


@pytest.mark.parametrize("is_carried_out", [True, False])
async def test_a_write_without_an_answer_is_announced_once_it_is_seen(
    table: Table, is_carried_out: bool
) -> None:
    answers = table.cluster.loses if is_carried_out else table.cluster.refuses
    answers["patch status"] = NO_ANSWER
    with pytest.raises(errors.UnavailableError):
        await table.writer.write(table.has_execution(raw_execution()), PROGRESS)
    assert await table.told() == []
    await table.writer.settle_unconfirmed("uid-of-mine")
    await table.writer.settle_unconfirmed("uid-of-mine")
    assert table.asked() == ["patch status", "get execution"]
    assert bool(await table.told()) == is_carried_out


async def test_a_write_of_which_it_cannot_be_found_out_stays_in_doubt(table: Table) -> None:
    table.cluster.refuses = {"patch status": NO_ANSWER, "get execution": NO_ANSWER}
    with pytest.raises(errors.UnavailableError):
        await table.writer.write(table.has_execution(raw_execution()), PROGRESS)
    with pytest.raises(errors.UnavailableError):
        await table.writer.settle_unconfirmed("uid-of-mine")
    assert table.memory.execution("uid-of-mine").unconfirmed is not None


async def test_a_status_that_is_refused_is_told_once_until_one_is_taken(table: Table) -> None:
    execution = table.has_execution(raw_execution())
    table.cluster.refuses["patch status"] = REFUSED
    for _ in range(2):
        with pytest.raises(errors.RejectedError):
            await table.writer.write(execution, PROGRESS)
    assert await table.told() == ["StatusNotWritten"]
    assert table.memory.execution(execution.uid).refused == "the object is invalid"
    table.cluster.refuses.clear()
    await table.writer.write(execution, PROGRESS)
    assert table.memory.execution(execution.uid).refused == ""

"""The last lines of the steps of a run, which are gone with their pods."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workflowexecution.client.pod_logs import read_tail
from workflowexecution.core.facts.leftovers import is_of_run
from workflowexecution.core.facts.run import Run
from workflowexecution.kube import errors
from workflowexecution.plugin.requests import cluster_of
from workflowexecution.plugin.session import Session
from workflowexecution.plugin.shell import report_unread
from workflowexecution.views.step_logs import StepLog, running_steps
from workflowexecution.views.wording import in_words

LINES: Final = 10
# A cancel is not delayed for longer than this by the logs.
_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class StepLines:
    """The last lines of a step, oldest first; `step` is `task/step`."""

    step: str
    lines: Sequence[str]


async def read_last_lines(session: Session, run: Run) -> list[StepLines]:
    """The last lines of the steps of a run that are running; a note says what cannot be read."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await cluster_of(session).list_task_runs(run.namespace, [run.name])
            steps = running_steps([raw for raw in found if is_of_run(raw, run.uid)])
            logs = await asyncio.gather(*(_lines_of(session, run, item) for item in steps))
            return [item for item in logs if item.lines]
    except errors.MissingRightError as error:
        report_unread(session.printer, "the last lines of its steps", [in_words(error)])
    except errors.ApiError as error:
        session.printer.note(f"warning: no last lines of its steps: {in_words(error)}")
    except TimeoutError:
        session.printer.note(f"warning: no last lines of its steps: no answer in {_PATIENCE_S:g} s")
    return []


async def _lines_of(session: Session, run: Run, item: StepLog) -> StepLines:
    try:
        found = await read_tail(session.client, run.namespace, item.pod, item.container, LINES)
    except (errors.NotFoundError, errors.RejectedError):
        # It has ended meanwhile.
        found = ()
    return StepLines(item.name, found)


def print_lines(session: Session, log: StepLines) -> None:
    """Print the last lines of a step for people; nothing where it has written none."""
    if log.lines:
        session.printer.say(f"\nLast lines of step {log.step}:")
    for line in log.lines:
        session.printer.say_from("", f"  {line}")

"""The results of a workflow: what it found and did, and why it failed.

Results are the only words that steps can put into Tekton's objects. Five names have a meaning here;
all others are the workflow's own business and are not shown.
"""

import json
from typing import Final

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import FailureReason

FAILURE_REASON: Final = "failure-reason"
FAILURE_MESSAGE: Final = "failure-message"
# Of a pipeline that succeeded, in the order in which they are told.
TOLD: Final = ("before", "after", "found")
# Characters of one result: a step writes at most 4096 bytes, a condition holds 32768.
_LONGEST: Final = 1024
_REASONS: Final = frozenset(reason.value for reason in FailureReason)


def told_of(status: Raw) -> str:
    """What a PipelineRun's results tell, as ``before: …; after: …``; else empty."""
    found = _texts(status)
    return "; ".join(f"{name}: {found[name]}" for name in TOLD if found.get(name))


def failure_of(status: Raw) -> tuple[FailureReason | None, str]:
    """The class and the words that a TaskRun's steps gave for their failure; empty where none."""
    found = _texts_of_steps(status) | _texts(status)
    given = found.get(FAILURE_REASON, "")
    reason = FailureReason(given) if given in _REASONS else None
    return reason, found.get(FAILURE_MESSAGE, "")


def _texts(status: Raw) -> dict[str, str]:
    """Results by name, each on one line; arrays and objects are left out."""
    return {
        reading.text(item, "name"): _on_one_line(reading.text(item, "value"))
        for item in reading.mappings(status, "results")
    }


def _texts_of_steps(status: Raw) -> dict[str, str]:
    """The same as steps that ended wrote it: of a TaskRun it ends itself Tekton takes over none."""
    found = {}
    for step in reading.mappings(status, "steps"):
        for item in _written(reading.text(reading.mapping(step, "terminated"), "message")):
            found[reading.text(item, "key")] = _on_one_line(reading.text(item, "value"))
    return found


def _written(message: str) -> list[Raw]:
    """What a container said when it ended; nothing where these are other words."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return []
    return reading.mappings({"said": said}, "said")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]

"""`docs/reference/events.md`: the Events that the operator's code names, in words."""

from __future__ import annotations

from pathlib import Path

from workflowexecution.api.status import UNDECLARED_PARAMETER
from workflowexecution.observe import events

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
HEAD = """# Events

The operator records these Kubernetes Events on executions; the PipelineRun is the related object.
`kubectl describe wfe NAME` shows them, and so does
`kubectl get events --field-selector involvedObject.kind=WorkflowExecution`. Events are not
guaranteed: Kubernetes drops them after an hour, and nothing depends on them. In a burst they appear
some seconds after the statuses. Permanent information is in the [status](definition.md#status).

`make docs` checks that this page contains every reason in the code.

| Type | Reason | Recorded when |
|---|---|---|
"""
NORMAL, WARNING = "Normal", "Warning"
MEANINGS = {
    "PipelineRunCreated": (NORMAL, "a run was launched; the message names it and the target"),
    "WorkflowCompleted": (NORMAL, "the execution is `Completed`"),
    "WorkflowFailed": (WARNING, "the execution is `Failed`; the message is the summary of why"),
    "Skipped": (
        NORMAL,
        "the execution is `Skipped`; the message names the execution that is the cause",
    ),
    "WorkflowExecutionDeleted": (
        NORMAL,
        "the execution of an active run was deleted; the run is cancelled",
    ),
    "PipelineRunCancelled": (
        WARNING,
        "an active run was cancelled for another cause than its execution's deletion",
    ),
    "PipelineRunDeleted": (
        WARNING,
        "an active run was deleted, because it could not be cancelled or Tekton did not end it",
    ),
    "PipelineRunNotEnded": (
        WARNING,
        "a run that should end can neither be cancelled nor deleted, so its target stays held; the "
        "message says who refuses that",
    ),
    "LockReleased": (
        NORMAL,
        "a run whose execution had ended or was deleted before it no longer holds its target. "
        "Otherwise `WorkflowCompleted` or `WorkflowFailed` tells that: the target is free by then",
    ),
    "StatusNotWritten": (
        WARNING,
        "the API server refuses the status of the execution, which therefore shows an earlier "
        "state; the message says why, and it is tried again every half minute",
    ),
    "PodStuck": (
        WARNING,
        "Kubernetes cannot end a pod of an ended run, so its target stays held; "
        "the message says what to do",
    ),
    "PodDeleted": (
        WARNING,
        "a pod of an ended run did not stop within the leftover grace, so it was deleted",
    ),
    "ChildDeleted": (
        WARNING,
        "a custom task, or a run that is a task, of an ended run did not end within the leftover "
        "grace, so it was deleted",
    ),
    "PodLeftAlone": (
        NORMAL,
        "a pod of an ended run has done its work and is kept by a container that is not the "
        "workflow's; it holds no target and is left alone",
    ),
    "DigestMismatch": (
        WARNING,
        "Tekton was made to fetch another bundle than the execution asks for by digest",
    ),
    "UndeclaredParameter": (
        WARNING,
        "the workflow does not declare a parameter of the execution; the message names what it "
        "declares",
    ),
    "LockViolated": (
        WARNING,
        "two active runs were seen on one target; the younger was cancelled. This must not happen: "
        "please report it",
    ),
}


def reasons() -> set[str]:
    """Every reason that `observe/events.py` names, and those of the conditions it reports."""
    named = {
        value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)
    }
    by_phase = {reason for _, reason, _ in events._BY_PHASE.values()}
    return named | by_phase | {"DigestMismatch", UNDECLARED_PARAMETER}


def page() -> str:
    """The whole page, as Markdown. Raises KeyError for a reason that has no words here."""
    rows = [
        f"| {MEANINGS[reason][0]} | `{reason}` | {MEANINGS[reason][1]} |"
        for reason in sorted(reasons(), key=list(MEANINGS).index)
    ]
    return HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

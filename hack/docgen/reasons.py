"""`docs/reference/reasons.md`, made from the tables that the operator words its statuses with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from workflowexecution.core.diagnosis import tables as causes
from workflowexecution.core.diagnosis.explanations import CAUSES, FAILURES, SKIPS, Explanation

_Reason = TypeVar("_Reason", bound=StrEnum)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "reasons.md"
HEAD = """# Reasons

This page lists every reason in a status: when it is set, what it means, and what to do. The page is
made from the operator's own tables by `make docs`; edit those.
"""
ORDER = """\
The reason of a failed run is the first of these that applies: the cause of a task's wait before a
time limit, the run's reason, the task's reason, the end of the step. These are all the
reasons that Tekton 1.0 to 1.15 declares. If a bundle could not be fetched, or a part of a run
was refused, its message decides, as described [above](#causes).
"""
CAUSES_HEAD = """\
## Causes

Some failures have causes that need other actions than their reason says. The summary in
`failureDetails` then contains the right action:
"""
SKIPS_FOOT = """
`skipDetails` names the cause: `conflictingWorkflow` is the execution that has the target, and
`recentRemediation` the last one of the same workflow there, with its end and `cooldownRemaining`.
`status.consecutiveFailures` says how many failures in a row `ExhaustedRetries` counts.
"""
WITHOUT_HEAD = """
These reasons name no cause. Such a failure is `Unknown`, or `TaskFailed` if a step exited with
an error:
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join(
        [
            HEAD,
            "## Failures: `status.failureDetails.reason`\n",
            *_table(FAILURES),
            "\n`wasExecutionFailure` says whether any step had begun. If it is false, nothing was",
            "changed.\n",
            CAUSES_HEAD,
            "| Cause | Set when | Means | Do |",
            "|---|---|---|---|",
            *_rows(CAUSES, "{}"),
            "\n## Skips: `status.skipDetails.reason`\n",
            *_table(SKIPS),
            SKIPS_FOOT,
            "\n## From Tekton's reasons\n",
            ORDER,
            "| of a PipelineRun | is |\n|---|---|",
            *_classes(causes.RUN_REASONS),
            "\n| of a TaskRun or CustomRun | is |\n|---|---|",
            *_classes(causes.TASK_REASONS),
            WITHOUT_HEAD,
            "| of any | why |\n|---|---|",
            *(f"| `{theirs}` | {why} |" for theirs, why in sorted(causes.WITHOUT_CLASS.items())),
            "",
        ]
    )


def _table(table: Mapping[_Reason, Explanation]) -> list[str]:
    return ["| Reason | Set when | Means | Do |", "|---|---|---|---|", *_rows(table, "`{}`")]


def _rows(table: Mapping[_Reason, Explanation], form: str) -> list[str]:
    return [
        f"| {form.format(reason)} | {item.set_when} | {item.means} | {item.to_do} |"
        for reason, item in table.items()
    ]


def _classes(table: Mapping[str, StrEnum]) -> list[str]:
    return [f"| `{theirs}` | `{ours}` |" for theirs, ours in sorted(table.items())]


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

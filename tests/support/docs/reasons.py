"""`docs/reference/reasons.md`, made from the tables that the operator words its statuses with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from workflowexecution.core.diagnosis import tables as causes
from workflowexecution.core.diagnosis.explanations import FAILURES, SKIPS, Explanation

_Reason = TypeVar("_Reason", bound=StrEnum)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "reasons.md"
HEAD = """# Reasons

Every reason that a status can carry: when it is set, what it means, what to do. This page is made
from the operator's own tables by `make docs`; edit those.
"""
ORDER = """\
A failed run is classed by the first of these that applies: what kept its task waiting before a
time limit ended it, the run's reason, the task's reason, how the step ended. A reason that is in
no table is `Unknown`, or `TaskFailed` where a step exited with an error.
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
            "## Skips: `status.skipDetails.reason`\n",
            *_table(SKIPS),
            "\n## From Tekton's reasons\n",
            ORDER,
            "| of a PipelineRun | is |\n|---|---|",
            *_classes(causes.RUN_REASONS),
            "\n| of a TaskRun | is |\n|---|---|",
            *_classes(causes.TASK_REASONS),
            "",
        ]
    )


def _table(table: Mapping[_Reason, Explanation]) -> list[str]:
    rows = [
        f"| `{reason}` | {item.set_when} | {item.means} | {item.to_do} |"
        for reason, item in table.items()
    ]
    return ["| Reason | Set when | Means | Do |", "|---|---|---|---|", *rows]


def _classes(table: Mapping[str, StrEnum]) -> list[str]:
    return [f"| `{theirs}` | `{ours}` |" for theirs, ours in sorted(table.items())]


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

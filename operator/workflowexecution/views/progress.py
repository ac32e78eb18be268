"""The progress of an execution, in one line."""

from workflowexecution.api import reading
from workflowexecution.api.status import Phase
from workflowexecution.core.facts.execution import Execution
from workflowexecution.views.executions import reason_of
from workflowexecution.views.why import happened_to


def progress_of(execution: Execution) -> str:
    """Phase, reason where it says more, tasks done, run, and what it waits for, as far as known."""
    if execution.phase is None:
        return "waiting for the operator to see it"
    status = reading.mapping(reading.mapping(execution.raw, "status"), "pipelineRunStatus")
    done, total = status.get("completedTasks"), status.get("totalTasks")
    reason = reason_of(execution)
    parts = [
        str(execution.phase) + (f" ({reason})" if reason not in ("", execution.phase) else ""),
        f"{done or 0} of {total} tasks done" if total else "",
        f"run {execution.run_name}" if execution.run_name else "",
        happened_to(execution) if execution.phase is Phase.PENDING else "",
    ]
    return ", ".join(part for part in parts if part)

"""How far an execution is, in one line."""

from workflowexecution.api import reading
from workflowexecution.core.facts.execution import Execution
from workflowexecution.plugin.views.executions import reason_of


def progress_of(execution: Execution) -> str:
    """Phase, reason where it says more, tasks done and run, as far as they are known."""
    if execution.phase is None:
        return "waiting for the operator to see it"
    status = reading.mapping(reading.mapping(execution.raw, "status"), "pipelineRunStatus")
    done, total = status.get("completedTasks"), status.get("totalTasks")
    reason = reason_of(execution)
    parts = [
        str(execution.phase) + (f" ({reason})" if reason not in ("", execution.phase) else ""),
        f"{done or 0} of {total} tasks done" if total else "",
        f"run {execution.run_name}" if execution.run_name else "",
    ]
    return ", ".join(part for part in parts if part)

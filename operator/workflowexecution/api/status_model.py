"""The status of a WorkflowExecution: the part of the API that the operator writes."""

from typing import Literal

from pydantic import Field

from workflowexecution.api.fields import INT32, Duration, Model, Time
from workflowexecution.api.status import FailureReason, Phase, SkipReason

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Model):
    """A metav1.Condition."""

    type: str = Field(min_length=1, max_length=316, description="Kind of the condition.")
    status: ConditionStatus = Field(description="Whether the condition holds.")
    reason: str = Field(
        min_length=1, max_length=1024, description="Why, for programs, in CamelCase."
    )
    message: str = Field(max_length=32768, description="Why, for people.")
    last_transition_time: Time = Field(description="Since when its status is what it is.")
    observed_generation: int | None = Field(
        default=None,
        ge=0,
        description="Generation of the execution that the condition describes.",
        json_schema_extra={"format": "int64"},
    )


class PipelineRunRef(Model):
    """The run of this execution."""

    name: str = Field(description="Name of the PipelineRun.")
    namespace: str | None = Field(
        default=None,
        description="Namespace of the PipelineRun; absent in statuses written long ago.",
    )


class PipelineRunStatus(Model):
    """The state of the run as the operator last saw it."""

    status: str = Field(description="Whether the run succeeded: True, False or Unknown.")
    reason: str | None = Field(default=None, description="Tekton's reason.")
    message: str | None = Field(default=None, description="Tekton's message.")
    completed_tasks: int | None = Field(
        default=None, description="Tasks that have ended.", json_schema_extra=INT32
    )
    total_tasks: int | None = Field(
        default=None,
        description="Tasks of the pipeline, its finally tasks among them.",
        json_schema_extra=INT32,
    )


class FailureDetails(Model):
    """The cause of a failure, where it happened, and its consequences."""

    failed_task_index: int = Field(
        description="Place of the failed task in the pipeline, from 0; also 0 where none failed: "
        "failedTaskName is then empty.",
        json_schema_extra=INT32,
    )
    failed_task_name: str = Field(description="Name of the failed task in the pipeline.")
    failed_step_name: str | None = Field(default=None, description="Name of the failed step.")
    reason: FailureReason = Field(description="Class of the failure, for programs.")
    message: str = Field(description="The failure, and the command that shows more.")
    exit_code: int | None = Field(
        default=None, description="Exit code of the failed step.", json_schema_extra=INT32
    )
    failed_at: Time = Field(description="When it failed.")
    execution_time_before_failure: Duration = Field(description="Time that it had run by then.")
    natural_language_summary: str = Field(
        description="The failure, its meaning and the advice, for people and language models."
    )
    was_execution_failure: bool | None = Field(
        default=None,
        description=(
            "Whether a step had begun, or may have, so that the target may have been changed."
        ),
    )


class RequestReference(Model):
    """The request of another execution."""

    name: str = Field(description="Name of the request.")
    namespace: str | None = Field(default=None, description="Its namespace.")
    uid: str | None = Field(default=None, description="Its UID, where the execution names it.")


class ConflictingWorkflow(Model):
    """The execution whose run holds the target."""

    name: str = Field(description="Name of the execution, or of a run that has none.")
    namespace: str | None = Field(default=None, description="Its namespace.")
    workflow_id: str = Field(description="The workflow it runs.")
    started_at: Time = Field(description="Since when it holds the target.")
    target_resource: str = Field(description="The target it holds.")
    remediation_request_ref: RequestReference | None = Field(
        default=None, description="The request it belongs to; also where it is deleted by now."
    )


class RecentRemediation(Model):
    """The execution whose end started the cooldown."""

    name: str = Field(description="Name of the execution.")
    namespace: str | None = Field(default=None, description="Its namespace.")
    workflow_id: str = Field(description="The workflow it ran.")
    completed_at: Time = Field(description="When it ended.")
    outcome: str = Field(description="Its outcome: Completed or Failed.")
    target_resource: str = Field(description="The target it was on.")
    cooldown_remaining: Duration | None = Field(
        default=None, description="Time until the same workflow may run there again."
    )
    remediation_request_ref: RequestReference | None = Field(
        default=None, description="The request it belongs to; also where it is deleted by now."
    )


class SkipDetails(Model):
    """The reason why nothing was run, and the execution that caused it."""

    reason: SkipReason = Field(description="Why nothing was run, for programs.")
    message: str = Field(description="Why nothing was run, for people.")
    skipped_at: Time = Field(description="When this was decided.")
    conflicting_workflow: ConflictingWorkflow | None = Field(
        default=None, description="Holder of the target, where it is busy."
    )
    recent_remediation: RecentRemediation | None = Field(
        default=None, description="Last end there, where the cooldown is not over."
    )


class WorkflowExecutionStatus(Model):
    """The state of an execution, as the operator reports it."""

    observed_generation: int | None = Field(
        default=None,
        description="Generation of the spec that this status describes.",
        json_schema_extra={"format": "int64"},
    )
    phase: Phase | None = Field(
        default=None,
        description="Pending, Running, Completed, Failed or Skipped; the last three are final.",
    )
    start_time: Time | None = Field(default=None, description="When its run was created.")
    completion_time: Time | None = Field(default=None, description="When it ended.")
    duration: Duration | None = Field(default=None, description="From its start to its end.")
    pipeline_run_ref: PipelineRunRef | None = Field(default=None, description="Its PipelineRun.")
    pipeline_run_status: PipelineRunStatus | None = Field(
        default=None, description="State of its PipelineRun, as Tekton reports it."
    )
    failure_reason: str | None = Field(
        default=None, description="Class of the failure, as in failureDetails."
    )
    failure_details: FailureDetails | None = Field(
        default=None, description="The failure: its place, cause and effects."
    )
    skip_details: SkipDetails | None = Field(
        default=None, description="Why nothing was run, and which execution was the cause."
    )
    consecutive_failures: int | None = Field(
        default=None,
        description="Failures of the workflow on the target in a row before it began, this "
        "time included; only where that is counted.",
        json_schema_extra=INT32,
    )
    next_allowed_execution: Time | None = Field(
        default=None,
        description="When the workflow may run on the target again: of an execution that a "
        "cooldown or pause skipped, and of a failure where failures before it begins are counted.",
    )
    conditions: list[Condition] = Field(
        default_factory=list,
        description="Succeeded, PipelineRunCreated, BundleVerified, UndeclaredParameter, "
        "Reconciling and Stalled; and TektonPipelineCreated, TektonPipelineRunning, "
        "TektonPipelineComplete and ResourceLocked of the controller of December 2025.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )

"""What the operator promises back: the status of a WorkflowExecution."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from workflowexecution.api.fields import INT32, Duration, Model, Time


class Phase(StrEnum):
    """One-word summary; empty until the operator has seen the execution."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"

    @property
    def is_terminal(self) -> bool:
        """Whether the phase never changes again."""
        return self in TERMINAL_PHASES


TERMINAL_PHASES: Final = (Phase.COMPLETED, Phase.FAILED, Phase.SKIPPED)


class SkipReason(StrEnum):
    """Why nothing was run; the last two are reserved for orchestrators."""

    RESOURCE_BUSY = "ResourceBusy"
    RECENTLY_REMEDIATED = "RecentlyRemediated"
    EXHAUSTED_RETRIES = "ExhaustedRetries"
    PREVIOUS_EXECUTION_FAILED = "PreviousExecutionFailed"


class FailureReason(StrEnum):
    """Class of a failure, for programs; the message beside it is for people."""

    OOM_KILLED = "OOMKilled"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    FORBIDDEN = "Forbidden"
    RESOURCE_EXHAUSTED = "ResourceExhausted"
    CONFIGURATION_ERROR = "ConfigurationError"
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    TASK_FAILED = "TaskFailed"
    UNKNOWN = "Unknown"


ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Model):
    """A metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    status: ConditionStatus
    reason: str = Field(min_length=1, max_length=1024)
    message: str = Field(max_length=32768)
    last_transition_time: Time
    observed_generation: int | None = Field(
        default=None, ge=0, json_schema_extra={"format": "int64"}
    )


class PipelineRunRef(Model):
    """The run of this execution, in the execution namespace."""

    name: str


class PipelineRunStatus(Model):
    """What the run says of itself, as last mirrored."""

    status: str
    reason: str | None = None
    message: str | None = None
    completed_tasks: int | None = Field(default=None, json_schema_extra=INT32)
    total_tasks: int | None = Field(default=None, json_schema_extra=INT32)


class FailureDetails(Model):
    """What failed, where, why, and what it means."""

    failed_task_index: int = Field(json_schema_extra=INT32)
    failed_task_name: str
    failed_step_name: str | None = None
    reason: FailureReason
    message: str
    exit_code: int | None = Field(default=None, json_schema_extra=INT32)
    failed_at: Time
    execution_time_before_failure: Duration
    natural_language_summary: str
    was_execution_failure: bool | None = None


class ConflictingWorkflow(Model):
    """The execution whose run holds the target."""

    name: str
    namespace: str | None = None
    workflow_id: str
    started_at: Time
    target_resource: str


class RecentRemediation(Model):
    """The execution whose end started the cooldown."""

    name: str
    namespace: str | None = None
    workflow_id: str
    completed_at: Time
    outcome: str
    target_resource: str
    cooldown_remaining: Duration | None = None


class SkipDetails(Model):
    """Why nothing was run, and because of whom."""

    reason: SkipReason
    message: str
    skipped_at: Time
    conflicting_workflow: ConflictingWorkflow | None = None
    recent_remediation: RecentRemediation | None = None


class WorkflowExecutionStatus(Model):
    """Everything the operator tells about an execution."""

    observed_generation: int | None = Field(default=None, json_schema_extra={"format": "int64"})
    phase: Phase | None = None
    start_time: Time | None = None
    completion_time: Time | None = None
    duration: Duration | None = None
    pipeline_run_ref: PipelineRunRef | None = None
    pipeline_run_status: PipelineRunStatus | None = None
    failure_reason: str | None = None
    failure_details: FailureDetails | None = None
    skip_details: SkipDetails | None = None
    consecutive_failures: int | None = Field(default=None, json_schema_extra=INT32)
    next_allowed_execution: Time | None = None
    conditions: list[Condition] = Field(
        default_factory=list,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )

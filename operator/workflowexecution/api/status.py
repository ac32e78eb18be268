"""The words of a status that programs read: phases, reasons, and types of conditions.

Without pydantic, which takes a quarter of the time in which a command of `kubectl wfe` answers.
"""

from enum import StrEnum
from typing import Final


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
    """The reason why nothing was run; the last two exist only where a guard is turned on."""

    RESOURCE_BUSY = "ResourceBusy"
    RECENTLY_REMEDIATED = "RecentlyRemediated"
    EXHAUSTED_RETRIES = "ExhaustedRetries"
    PREVIOUS_EXECUTION_FAILED = "PreviousExecutionFailed"


# A person has to clear the failure before the workflow runs again.
UNTIL_CLEARED: Final = (SkipReason.EXHAUSTED_RETRIES, SkipReason.PREVIOUS_EXECUTION_FAILED)


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


BUNDLE_VERIFIED: Final = "BundleVerified"
UNDECLARED_PARAMETER: Final = "UndeclaredParameter"
# Conditions that warn of something: their types, and the status with which they do.
WARNINGS: Final = ((BUNDLE_VERIFIED, "False"), (UNDECLARED_PARAMETER, "True"))

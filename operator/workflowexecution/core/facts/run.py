"""The facts of a PipelineRun that holds or held a target; ``decoding`` reads them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from workflowexecution.core.facts.execution import Cancellation, Request
from workflowexecution.core.facts.pipeline import ANY_CHILDREN, ChildKinds, Undeclared

# Namespace and name.
RunKey = tuple[str, str]

LABEL_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"


# Tekton's reason for a run that is held back, until Tekton begins with it.
_HELD_BACK: Final = "PipelineRunPending"
# Tekton's reason for a run that it has cancelled.
_CANCELLED: Final = "Cancelled"


class Asked(StrEnum):
    """The request to Tekton in ``spec.status``.

    WAIT: do not begin yet. STOP: begin no more tasks, and run the finally tasks.
    CANCEL_FIRST: cancel the tasks, and run the finally tasks. CANCEL: cancel everything.
    """

    NOTHING = ""
    WAIT = "PipelineRunPending"
    STOP = "StoppedRunFinally"
    CANCEL_FIRST = "CancelledRunFinally"
    CANCEL = "Cancelled"


class RunState(StrEnum):
    """The state of a run. Only a finished run no longer holds its target.

    ACTIVE: Tekton has not reported its result.
    STOPPING: it has ended or is deleted, and parts of it may still execute. Tekton starts nothing
        for a run that is being deleted, even where a finalizer keeps the object for ever.
    FINISHED: no part of it can change the target any more.
    """

    ACTIVE = "Active"
    STOPPING = "Stopping"
    FINISHED = "Finished"


@dataclass(frozen=True, slots=True)
class Owner:
    """The execution that a run was made for, from the run itself.

    request: the request of that execution; None for a run that an earlier version made.
    """

    uid: str
    namespace: str
    name: str
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A PipelineRun that holds, or held, a target.

    resource_version: not compared: two versions may have the same facts.
    target_key: common to all runs on its target.
    run_number: the number in its name; 0 where its name is not one of its target.
    target, workflow_id: None where the run has none.
    owner: None where it has no execution, as a rerun that a person made.
    succeeded: the status of Tekton's condition: "True", "False" or "Unknown".
    asked: the request to Tekton.
    managed_by: the controller that executes it instead of Tekton; empty where that is Tekton.
    has_finally: whether the resolved pipeline has finally tasks; False until it is resolved.
    timeout: its time limit, including the finally tasks; None where it has no limit.
    released_at: when it was first seen to be no longer held back; None where it never was held
        back; not compared, because it is not in the run itself.
    pinned_digest: the digest of the bundle in the request to Tekton; empty where there is none.
    account: the ServiceAccount whose pull secrets fetch the bundle; empty where none is named.
    fetched_digest: of the image that Tekton fetched; empty until Tekton reports it.
    result_text: the text of its results; empty where there is none.
    undeclared: the given parameters that its pipeline does not declare; None where there are none,
        or it is not resolved yet.
    is_cleared: whether a person has noted on it that its failure has been looked at.
    cancellation: who cancelled it with the plugin; None where it is not cancelled, or was cancelled
        in another way.
    is_gone: whether the object is deleted, so that only its TaskRuns and pods may be left.
    has_stopped: whether it is known that no part of an ended or deleted run executes.
    has_started: whether a step has begun; None where that is not known.
    children: the kinds of children that its pipeline can have.
    key: namespace and name. state: see RunState.
    is_cancelled: whether its tasks are to be cancelled; a run that is to STOP ends them normally.
    is_queued: whether something other than Tekton decides when it begins.
    """

    name: str
    namespace: str
    uid: str
    resource_version: str = field(compare=False)
    target_key: str
    run_number: int
    target: str | None
    workflow_id: str | None
    owner: Owner | None
    created_at: datetime
    succeeded: str = "Unknown"
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    completed_tasks: int = 0
    task_names: tuple[str, ...] = ()
    is_deleting: bool = False
    asked: Asked = Asked.NOTHING
    managed_by: str = ""
    has_finally: bool = False
    timeout: timedelta | None = None
    released_at: datetime | None = field(default=None, compare=False)
    pinned_digest: str = ""
    account: str = ""
    fetched_digest: str = ""
    result_text: str = ""
    undeclared: Undeclared | None = None
    is_cleared: bool = False
    cancellation: Cancellation | None = None
    is_gone: bool = False
    has_stopped: bool = False
    has_started: bool | None = None
    children: ChildKinds = ANY_CHILDREN
    # Derived once: each pass reads them many times.
    key: RunKey = field(init=False, compare=False, repr=False)
    state: RunState = field(init=False, compare=False, repr=False)
    is_cancelled: bool = field(init=False, compare=False, repr=False)
    is_queued: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        is_cancelled = self.asked in (Asked.CANCEL_FIRST, Asked.CANCEL)
        is_held = self.asked is Asked.WAIT or bool(self.managed_by)
        is_queued = self.started_at is None and not is_cancelled and is_held
        object.__setattr__(self, "key", (self.namespace, self.name))
        object.__setattr__(self, "state", self._state())
        object.__setattr__(self, "is_cancelled", is_cancelled)
        object.__setattr__(self, "is_queued", is_queued)

    def _state(self) -> RunState:
        is_over = self.succeeded == "True" and not self.children.may_outlast
        if is_over or self.has_stopped:
            return RunState.FINISHED
        has_ended = self.succeeded in ("True", "False") or self.is_deleting or self.is_gone
        return RunState.STOPPING if has_ended else RunState.ACTIVE

    @property
    def was_queued(self) -> bool:
        """Whether it was held back, and Tekton has not begun with it since."""
        return self.started_at is None and not self.is_queued and self.reason == _HELD_BACK

    @property
    def ended_by(self) -> Cancellation | None:
        """The cancellation that ended it; None where something else did, or it has not ended."""
        return self.cancellation if self.reason == _CANCELLED else None

    @property
    def has_run_no_task(self) -> bool:
        """Whether Tekton reports that no task has run: all were skipped, or there are none."""
        return self.message.startswith("Tasks Completed: 0 (")

    def following(self, known: "Run | None", now: datetime) -> "Run":
        """The run with the facts learnt earlier, and the time when it was first seen released.

        Args:
            known: the run last known under its name; that may be another run.
            now: aware UTC.
        """
        if known is None or known.uid != self.uid:
            return replace(self, released_at=now) if self.was_queued else self
        run, released_at = self, known.released_at
        if known.has_stopped or known.has_started is not None:
            has_stopped = known.has_stopped and self.succeeded == known.succeeded
            run = replace(self, has_stopped=has_stopped, has_started=known.has_started)
        if known.is_queued and not run.is_queued:
            released_at = now
        return replace(run, released_at=released_at) if released_at else run

    def given_up_at(self, grace: timedelta) -> datetime | None:
        """The time at which it is given up if it has not ended; None where it never is.

        There is no limit for the time in which a run is held back.
        """
        if self.timeout is None or self.is_queued:
            return None
        try:
            return (self.started_at or self.waits_since) + self.timeout + grace
        except OverflowError:
            # Later than the last date.
            return None

    @property
    def waits_since(self) -> datetime:
        """The time since which Tekton should have begun with it; aware UTC."""
        return self.released_at or self.created_at

    @property
    def is_lost(self) -> bool:
        """Whether it was deleted before Tekton reported its result, and no part of it executes."""
        return self.has_stopped and self.succeeded not in ("True", "False")

    def ended_at(self, seen_at: datetime) -> datetime:
        """The time of its end, by the API server's clock, even if Tekton's clock is wrong.

        Not before its creation plus its duration, so that a slow clock cannot shorten a cooldown.
        Not after the time it was seen, so that a fast clock cannot make a cooldown longer.

        Args:
            seen_at: aware UTC; it has ended by then.
        """
        if self.completed_at is None:
            return seen_at
        took = self.completed_at - (self.started_at or self.completed_at)
        return min(max(self.completed_at, self.created_at + took), seen_at)

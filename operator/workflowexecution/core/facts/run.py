"""A PipelineRun that holds or held a target, slim and immutable, as `decoding` reads it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from workflowexecution.core.facts.pipeline import ANY_CHILDREN, ChildKinds

# Namespace and name.
RunKey = tuple[str, str]

LABEL_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"


# What Tekton says of a run that something holds back, until it begins with it.
_HELD_BACK: Final = "PipelineRunPending"


class Asked(StrEnum):
    """What ``spec.status`` asks Tekton to do with a run.

    WAIT: not to begin yet. STOP: to begin no more tasks, and to run its finally tasks.
    CANCEL_FIRST: to cancel its tasks, and to run its finally tasks. CANCEL: to cancel everything.
    """

    NOTHING = ""
    WAIT = "PipelineRunPending"
    STOP = "StoppedRunFinally"
    CANCEL_FIRST = "CancelledRunFinally"
    CANCEL = "Cancelled"


class RunState(StrEnum):
    """How far a run is. Only a finished one no longer holds its target.

    ACTIVE: Tekton has not given its verdict.
    STOPPING: it has ended or is deleted, and something of it may still execute. Tekton starts
        nothing for a run that is being deleted, even where a finalizer keeps the object for ever.
    FINISHED: nothing of it can change the target any more.
    """

    ACTIVE = "Active"
    STOPPING = "Stopping"
    FINISHED = "Finished"


@dataclass(frozen=True, slots=True)
class Owner:
    """The execution a run was made for, as the run itself says."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A PipelineRun that holds, or held, a target.

    resource_version: not compared: what two versions say may be the same.
    target_key: what all runs on its target share.
    slot_number: the number in its name; 0 where its name is no slot of its target.
    target, workflow_id: None where the run does not tell.
    owner: None where it is not one of ours, as a rerun that a person made.
    succeeded: the status of Tekton's condition: "True", "False" or "Unknown".
    asked: what Tekton is asked to do with it.
    managed_by: the controller that runs it in Tekton's place; empty where that is Tekton.
    has_finally: whether the resolved pipeline has finally tasks; False until it is resolved.
    timeout: within which it has to end, its finally tasks included; None where it has no limit.
    released_at: when it was first seen not to be held back any more, None for one that never was;
        not compared, because the run itself does not tell.
    pinned_digest: the digest that Tekton is asked for the bundle by; empty where by none.
    fetched_digest: of the image that Tekton says it took it from; empty where it has not told yet.
    told: what its results say it did; empty where they say nothing.
    undeclared_parameters: names of those given that the resolved pipeline does not declare.
    is_cleared: whether a person has noted on it that its failure has been looked at.
    is_gone: whether the object is deleted, so that only its TaskRuns and pods may be left.
    has_stopped: whether it is known that nothing of a run that ended or is deleted executes.
    has_started: whether a step has begun, None where nobody has looked.
    children: what its pipeline can have running.
    """

    name: str
    namespace: str
    uid: str
    resource_version: str = field(compare=False)
    target_key: str
    slot_number: int
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
    fetched_digest: str = ""
    told: str = ""
    undeclared_parameters: tuple[str, ...] = ()
    is_cleared: bool = False
    is_gone: bool = False
    has_stopped: bool = False
    has_started: bool | None = None
    children: ChildKinds = ANY_CHILDREN

    @property
    def key(self) -> RunKey:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def state(self) -> RunState:
        """How far it is; see RunState."""
        is_over = self.succeeded == "True" and not self.children.may_outlast
        if is_over or self.has_stopped:
            return RunState.FINISHED
        has_ended = self.succeeded in ("True", "False") or self.is_deleting or self.is_gone
        return RunState.STOPPING if has_ended else RunState.ACTIVE

    @property
    def is_cancelled(self) -> bool:
        """Whether its tasks are to be cut off; one that is to STOP ends at its own pace."""
        return self.asked in (Asked.CANCEL_FIRST, Asked.CANCEL)

    @property
    def is_queued(self) -> bool:
        """Whether something other than Tekton decides when it begins."""
        is_held = self.asked is Asked.WAIT or bool(self.managed_by)
        return self.started_at is None and not self.is_cancelled and is_held

    @property
    def was_queued(self) -> bool:
        """Whether it was held back, and Tekton has not begun with it since."""
        return self.started_at is None and not self.is_queued and self.reason == _HELD_BACK

    @property
    def has_run_no_task(self) -> bool:
        """Whether Tekton says that no task has run: all were skipped, or there are none."""
        return self.message.startswith("Tasks Completed: 0 (")

    def following(self, known: "Run | None", now: datetime) -> "Run":
        """It with what had been learnt of it before, and when it was first seen released.

        Args:
            known: what was known under its name; that may be another run.
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
        """When it is given up if it still has not ended; None where that never comes.

        What holds a run back may do so for as long as it likes.
        """
        if self.timeout is None or self.is_queued:
            return None
        try:
            return (self.started_at or self.waits_since) + self.timeout + grace
        except OverflowError:
            # Later than any date there is.
            return None

    @property
    def waits_since(self) -> datetime:
        """Since when Tekton should have begun with it; aware UTC."""
        return self.released_at or self.created_at

    @property
    def is_lost(self) -> bool:
        """Whether it was deleted before Tekton gave its verdict, and nothing of it executes."""
        return self.has_stopped and self.succeeded not in ("True", "False")

    def ended_at(self, seen_at: datetime) -> datetime:
        """When it ended, by the API server's clock whatever Tekton's says.

        Not before it was created plus the time it took, so that a clock that is behind cannot
        shorten a cooldown; not after it was seen, so that one that is ahead cannot prolong it.

        Args:
            seen_at: aware UTC; it has ended by then.
        """
        if self.completed_at is None:
            return seen_at
        took = self.completed_at - (self.started_at or self.completed_at)
        return min(max(self.completed_at, self.created_at + took), seen_at)

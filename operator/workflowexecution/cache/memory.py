"""State of an execution or a run that is kept between two passes, and dropped with the object.

The operator is correct without it: after a restart it costs a request or a wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from workflowexecution.api.status_model import WorkflowExecutionStatus
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.leftovers import Leftovers, has_begun, seen_again
from workflowexecution.core.facts.run import Run, RunKey
from workflowexecution.core.facts.taskrun import TaskRun
from workflowexecution.core.run_ending import Way


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A status of an execution before and after a write.

    execution: as it is after the write, if it is known whether that was carried out.
    """

    execution: Execution
    before: WorkflowExecutionStatus
    after: WorkflowExecutionStatus


@dataclass(slots=True)
class ExecutionMemory:
    """The state of one execution between passes. Times are of the monotonic clock, in seconds.

    freed_at: aware UTC, the end of the last hold on it; None while that is not known.
    progress_at: when progress was last written.
    written_version: resource version of our own last write; its event brings nothing new.
    unconfirmed: the status change of a write that got no answer.
    refused: why the API server refuses its status; empty while it does not.
    create_uncertain_until: until when an unanswered request to create its run may still succeed.
    condition: reason and message of its run's condition when that last changed.
    look_at: when to check why the run waits; None where no part of it waits.
    looks: number of these checks since the run's condition last changed.
    waits_for: the cause found by the last check, for people; empty where none is known.
    """

    freed_at: datetime | None = None
    progress_at: float | None = None
    written_version: str = ""
    unconfirmed: StatusChange | None = None
    refused: str = ""
    create_uncertain_until: float = 0.0
    condition: tuple[str, str] | None = None
    look_at: float | None = None
    looks: int = 0
    waits_for: str = ""


@dataclass(slots=True)
class Attempt:
    """The times of the first and the last try of one way to end a run, and its refusal.

    See ``run_ending.Tried``.
    """

    since: float
    last: float
    refusal: str = ""
    is_final: bool = False


@dataclass(slots=True)
class RunMemory:
    """The state of one run between passes. Times are of the monotonic clock, in seconds.

    unfinished_since: when the run was first seen to have ended.
    checks: number of reads of its leftovers since then.
    leftovers: as last read.
    children: as last seen, by kind and name, including those that are deleted.
    looked_at: children as seen before the run ended, by kind and name.
    tried: for each way to end it, when it was first tried, and its refusal.
    ending: the progress of ending it, for people; empty where it is active and should go on.
    complaint: why the node could not start a step, when that was last seen.
    why_held: why the target is still held, for people; empty where that is not known.
    is_stuck: whether Kubernetes itself cannot end a pod of it.
    outlives: the run itself, where it is ended because its execution is gone or has ended.
    """

    unfinished_since: float | None = None
    checks: int = 0
    leftovers: Leftovers | None = None
    children: dict[tuple[str, str], TaskRun] = field(default_factory=dict)
    looked_at: dict[tuple[str, str], TaskRun] = field(default_factory=dict)
    tried: dict[Way, Attempt] = field(default_factory=dict)
    ending: str = ""
    complaint: str = ""
    why_held: str = ""
    is_stuck: bool = False
    outlives: Run | None = None

    def note(self, found: Leftovers) -> None:
        """Remember leftovers just read: some may be deleted before the end is reported."""
        self.leftovers = found
        for child in found.task_runs:
            key = (child.kind, child.name)
            known = self.children.get(key) or self.looked_at.get(key)
            self.children[key] = seen_again(known, child)
        self.complaint = found.complaint or self.complaint

    def note_look(self, children: Iterable[TaskRun]) -> None:
        """Remember the state of an active run's children, with the facts from their pods."""
        for child in children:
            key = (child.kind, child.name)
            self.looked_at[key] = seen_again(self.looked_at.get(key), child)

    @property
    def has_begun(self) -> bool | None:
        """Whether anything of the run has begun; None where it is not known."""
        pods = self.leftovers.pods if self.leftovers else ()
        return has_begun(self.children.values(), pods)


@dataclass(slots=True)
class Memory:
    """The state of all executions, by UID, and of all runs, by namespace and name."""

    _executions: dict[str, ExecutionMemory] = field(default_factory=dict)
    _runs: dict[RunKey, RunMemory] = field(default_factory=dict)

    def execution(self, uid: str) -> ExecutionMemory:
        """The state of an execution, created if there is none."""
        return self._executions.setdefault(uid, ExecutionMemory())

    def run(self, key: RunKey) -> RunMemory:
        """The state of a run, created if there is none."""
        return self._runs.setdefault(key, RunMemory())

    def wrote(self, uid: str, version: str) -> bool:
        """Whether this version of an execution comes from our own last write."""
        known = self._executions.get(uid)
        return known is not None and known.written_version == version

    def has_looked_at(self, key: RunKey) -> bool:
        """Whether there is any state of a run."""
        return key in self._runs

    def drop_execution(self, uid: str) -> None:
        """Forget an execution."""
        self._executions.pop(uid, None)

    def drop_run(self, key: RunKey) -> RunMemory | None:
        """Forget a run; returns its state, None where there is none."""
        return self._runs.pop(key, None)

    def keep_only(self, uids: Iterable[str], keys: Iterable[RunKey]) -> None:
        """Forget all others; an execution with an unconfirmed write is kept in any case."""
        for uid in set(self._executions) - set(uids):
            if self._executions[uid].unconfirmed is None:
                self.drop_execution(uid)
        for key in set(self._runs) - set(keys):
            self.drop_run(key)

    def stuck_runs(self) -> int:
        """Number of runs with a pod that Kubernetes itself cannot end."""
        return sum(run.is_stuck for run in self._runs.values())

    def __len__(self) -> int:
        """Number of executions and runs with state."""
        return len(self._executions) + len(self._runs)


class Gaps:
    """Notes changes that no watch delivered, until the next relist ends."""

    def __init__(self) -> None:
        self._is_noted = False
        self._is_being_closed = False

    @property
    def need_relist(self) -> bool:
        """Whether a change may have been missed since the last relist began."""
        return self._is_noted

    @property
    def are_open(self) -> bool:
        """Whether the cache may be incomplete, so that no decision may be based on it."""
        return self._is_noted or self._is_being_closed

    def note(self) -> None:
        """Note that changes may have been missed."""
        self._is_noted = True

    def begin_relist(self) -> None:
        """Note that a relist begins."""
        self._is_being_closed = self.are_open
        self._is_noted = False

    def end_relist(self) -> None:
        """Note that everything has been listed since ``begin_relist``."""
        self._is_being_closed = False

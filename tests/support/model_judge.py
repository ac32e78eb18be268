"""Checks on every change of the model's server that nothing forbidden has happened."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from model_store import (
    CLOCK_ERROR,
    COOLDOWN,
    EXECUTIONS,
    RUNS,
    Raw,
    object_of,
    owner_of,
    path_of,
    target_of,
    uid_of,
)
from workflowexecution.api.status import TERMINAL_PHASES
from workflowexecution.core import names

if TYPE_CHECKING:
    from model_server import Server

# How old the evidence of a Skip may be where the pass that writes it began later than that.
FRESH_FOR: Final = timedelta(seconds=1)
# Tekton's clock may be ahead by this much, which prolongs a cooldown that a restart reads anew.
SKEW: Final = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class End:
    """A run that ended; ``at_event`` is how many events of runs there were before."""

    uid: str
    owner: str
    what: tuple[str, str]
    at: datetime
    at_event: int


@dataclass(slots=True)
class Judge:
    """Notes each breach of a rule in ``complaints``.

    by_hand: UIDs of runs that a person made.
    born: how many events of runs there were before a run was made, by its UID.
    held_until: when a target was last held, by target and by who is named as its holder.
    unfinished_until: when a workflow was last unfinished, by target and workflow.
    lost: runs that were deleted, by people or because Tekton did not end them; what they were, by
        UID. They have ended when that was noticed.
    """

    server: "Server"
    complaints: list[str] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    born: dict[str, int] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    held_until: dict[tuple[str, str], datetime] = field(default_factory=dict)
    unfinished_until: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def about_to_change(self) -> None:
        """Note who holds a target up to now."""
        for run in self.server.unfinished():
            self.held_until[target_of(run), holder_of(run)] = self.server.now
            self.unfinished_until[what_of(run)] = self.server.now

    def run_ended(self, run: Raw) -> None:
        event = len(self.server.history[RUNS])
        self.ends.append(End(uid_of(run), owner_of(run), what_of(run), self.server.now, event))

    def launched(self, manifest: Raw, known: int) -> None:
        """Judge a run that an operator creates.

        ``known`` is how many events of runs it had been told of when it asked for that.
        """
        target, name = target_of(manifest), manifest["metadata"]["name"]
        for run in self.server.unfinished():
            is_known = uid_of(run) in self.by_hand and self.born[uid_of(run)] < known
            if target_of(run) == target and is_known:
                self.complaints.append(f"{name} was launched beside a person's {path_of(run)}")
        for end in self.ends:
            is_recent = self.server.now - end.at < COOLDOWN - CLOCK_ERROR
            is_hidden = end.uid in self.by_hand and end.at_event >= known
            if is_recent and end.what == what_of(manifest) and not is_hidden:
                self._within_cooldown(manifest, end)

    def _within_cooldown(self, manifest: Raw, end: End) -> None:
        """An end that people have removed counts only if an execution reports it."""
        runs = self.server.objects[RUNS].values()
        run = next((run for run in runs if uid_of(run) == end.uid), None)
        where = manifest["metadata"]["namespace"]
        is_seen = run is not None and run["metadata"]["namespace"] == where
        is_hidden = run is not None or end.uid in self.lost
        if is_seen or not is_hidden or self._is_told(end):
            name = manifest["metadata"]["name"]
            self.complaints.append(f"{name} was launched within the cooldown of {end.uid}")

    def _is_told(self, end: End) -> bool:
        """Whether an execution tells of this end; one that was given up ended before its run."""
        told = [
            raw.get("status", {})
            for raw in self.server.objects[EXECUTIONS].values()
            if uid_of(raw) == end.owner
        ]
        return end.uid not in self.by_hand and any(
            "completionTime" in status and status.get("failureReason") != "DeadlineExceeded"
            for status in told
        )

    def status_written(self, was: Raw, now: Raw, patch: Raw) -> None:
        """Judge a status that an operator writes."""
        name, status = path_of(now), now["status"]
        before, phase = was.get("status", {}).get("phase"), status.get("phase")
        if before in TERMINAL_PHASES and phase != before:
            self.complaints.append(f"{name} left {before} for {phase}")
        ref = patch.get("pipelineRunRef") or {}
        run = self.server.objects[RUNS].get(f"{ref.get('namespace')}/{ref.get('name')}")
        if run is not None and owner_of(run) != uid_of(now):
            self.complaints.append(f"{name} claims the run {path_of(run)} of another")

    def skip_asked_for(self, execution: Raw, patch: Raw, since: datetime) -> None:
        """Judge a Skip at the moment an operator asks for it; its pass began at ``since``."""
        details = patch.get("skipDetails")
        if not details:
            return
        self.about_to_change()
        target = object_of(execution["spec"]["targetResource"])
        name = path_of(execution)
        if details["reason"] == "ResourceBusy":
            other = details["conflictingWorkflow"]
            holder = f"{other['namespace']}/{other['name']}"
            held = self.held_until.get((target, holder))
            if held is None or held < min(since, self.server.now - FRESH_FOR):
                self.complaints.append(f"{name} was skipped for {holder}, which held until {held}")
            return
        what = (target, details["recentRemediation"]["workflowId"])
        last = self.unfinished_until.get(what)
        is_over = last is None or self.server.now - last >= COOLDOWN + SKEW + CLOCK_ERROR
        if is_over and what not in self.lost.values():
            self.complaints.append(f"{name} was skipped for a remediation of {last}")

    def crowded(self, target: str) -> list[str]:
        """Runs on a target beyond the one that may be there; those of people do not count."""
        ours = [
            path_of(run)
            for run in self.server.unfinished()
            if target_of(run) == object_of(target) and uid_of(run) not in self.by_hand
        ]
        return ours[1:]

    def is_claimed(self, run: Raw) -> bool:
        """Whether the execution that a run was made for has its name in its status."""
        owner = next(
            (
                raw
                for raw in self.server.objects[EXECUTIONS].values()
                if uid_of(raw) == owner_of(run)
            ),
            None,
        )
        ref = (owner or {}).get("status", {}).get("pipelineRunRef") or {}
        return f"{ref.get('namespace')}/{ref.get('name')}" == path_of(run)


def what_of(run: Raw) -> tuple[str, str]:
    """Target and workflow of a run."""
    return target_of(run), str(run["metadata"]["annotations"][names.KEY_WORKFLOW_ID])


def holder_of(run: Raw) -> str:
    """The holder that a Skip names for a run: its execution, or the run where it has no number."""
    told = run["metadata"]["annotations"]
    if names.parse_run_name(run["metadata"]["name"]) is None:
        return path_of(run)
    return f"{told[names.KEY_SOURCE_NAMESPACE]}/{told[names.KEY_EXECUTION]}"

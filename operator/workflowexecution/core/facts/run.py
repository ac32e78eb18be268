"""A PipelineRun that holds or held a target, slim and immutable, parsed from what Tekton wrote."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.duration import parse_duration
from workflowexecution.api.fields import parse_time
from workflowexecution.api.parameters import RESERVED_PARAMETER
from workflowexecution.api.reading import Raw
from workflowexecution.core import names
from workflowexecution.core.facts.pipeline import (
    ANY_CHILDREN,
    ChildKinds,
    child_kinds_of,
    count_in_message,
    has_finally_tasks,
    task_names_of,
    undeclared_parameters,
)
from workflowexecution.core.facts.results import told_of

# Namespace and name.
RunKey = tuple[str, str]

LABEL_PIPELINE_RUN: Final = "tekton.dev/pipelineRun"

# What says whose a run is and of which workflow.
_WHOSE: Final = (
    names.KEY_EXECUTION_UID,
    names.KEY_EXECUTION,
    names.KEY_SOURCE_NAMESPACE,
    names.KEY_WORKFLOW_ID,
)

# What ``spec.managedBy`` of a run says where Tekton itself is to run it; so does its absence.
_TEKTON: Final = "tekton.dev/pipeline"
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


def parse_run(raw: Raw) -> Run | None:
    """Read a PipelineRun; None where it names no target in any way, or is a part of another."""
    meta, status = raw["metadata"], reading.mapping(raw, "status")
    spec, labels = reading.mapping(raw, "spec"), reading.mapping(meta, "labels")
    known = _said_of(reading.mapping(meta, "annotations"), labels)
    slot = names.parse_slot(meta["name"])
    if slot is None and is_child_run(meta):
        return None
    target = reading.text(known, names.KEY_TARGET) or _target_parameter(spec) or None
    target_key = _target_key(target, labels, slot)
    if not target_key:
        return None
    is_in_slot = slot is not None and slot[0] == target_key
    condition, has_finally = succeeded_condition(raw), has_finally_tasks(status)
    return Run(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        target_key=target_key,
        slot_number=slot[1] if slot and is_in_slot else 0,
        target=target,
        workflow_id=reading.text(known, names.KEY_WORKFLOW_ID) or None,
        owner=parse_owner(known) if is_in_slot else None,
        succeeded=reading.text(condition, "status") or "Unknown",
        reason=reading.text(condition, "reason"),
        message=reading.text(condition, "message"),
        created_at=parse_time(meta["creationTimestamp"]),
        started_at=reading.moment(status, "startTime"),
        completed_at=reading.moment(status, "completionTime"),
        completed_tasks=count_in_message(reading.text(condition, "message")),
        task_names=task_names_of(status),
        is_deleting=bool(meta.get("deletionTimestamp")),
        asked=_asked(spec),
        managed_by=_managed_by(spec),
        has_finally=has_finally,
        timeout=_timeout(spec, has_finally=has_finally),
        pinned_digest=_pinned_digest(spec),
        fetched_digest=_fetched_digest(status),
        told=told_of(status),
        undeclared_parameters=undeclared_parameters(spec, status),
        is_cleared=bool(reading.text(known, identity.CLEAR_ANNOTATION).strip()),
        children=child_kinds_of(status, has_failed=condition.get("status") == "False"),
    )


def is_child_run(meta: Raw) -> bool:
    """Whether a run is a task of another run, and on that one's target by what it took over.

    Its parent holds the target for it. One that names a target of its own holds that itself.
    """
    labels, known = reading.mapping(meta, "labels"), reading.mapping(meta, "annotations")
    parent = reading.text(labels, LABEL_PIPELINE_RUN)
    took_over = names.KEY_TARGET in known or names.KEY_TARGET_HASH in labels
    return took_over and any(
        owner.get("controller") is True
        and owner.get("kind") == "PipelineRun"
        and owner.get("name") == parent
        for owner in reading.mappings(meta, "ownerReferences")
    )


def says_the_same(known: Run, run: Run) -> bool:
    """Whether a run has changed in nothing that matters: Tekton writes more often than that."""
    return known == run


def succeeded_condition(raw: Raw) -> Raw:
    """The ``Succeeded`` condition of a Tekton object; empty where it has none yet."""
    conditions = reading.mappings(reading.mapping(raw, "status"), "conditions")
    return next((item for item in conditions if item.get("type") == "Succeeded"), {})


def parse_owner(annotations: Raw) -> Owner | None:
    """Read for which execution a run or its pod was made; None where it does not say."""
    uid = reading.text(annotations, names.KEY_EXECUTION_UID)
    if not uid:
        return None
    return Owner(
        uid=uid,
        namespace=reading.text(annotations, names.KEY_SOURCE_NAMESPACE),
        name=reading.text(annotations, names.KEY_EXECUTION),
    )


def _said_of(annotations: Raw, labels: Raw) -> Raw:
    """What a run says it was made for; its labels say so where its annotations were taken off.

    Not where a label shows less than the whole name: no other execution may be taken for its own.
    """
    if reading.text(annotations, names.KEY_EXECUTION_UID):
        return annotations
    told = {key: names.text_of_label(reading.text(labels, key)) for key in _WHOSE}
    whole = {key: text for key, text in told.items() if text}
    return {**whole, **annotations} if len(whole) == len(_WHOSE) else annotations


def _target_parameter(spec: Raw) -> str:
    """What a run that somebody made by hand tells its tasks to work on."""
    given = reading.mappings(spec, "params")
    return next(
        (reading.text(item, "value") for item in given if item.get("name") == RESERVED_PARAMETER),
        "",
    )


def _target_key(target: str | None, labels: Raw, slot: tuple[str, int] | None) -> str:
    """The key of the target a run is on, by the best that it tells; empty where it tells none."""
    if target:
        return names.slot_key(target)
    by_label = names.slot_key_of_hash(reading.text(labels, names.KEY_TARGET_HASH))
    return by_label or (slot[0] if slot else "")


def _asked(spec: Raw) -> Asked:
    said = reading.text(spec, "status")
    return next((asked for asked in Asked if asked == said), Asked.NOTHING)


def _managed_by(spec: Raw) -> str:
    manager = reading.text(spec, "managedBy")
    return "" if manager == _TEKTON else manager


def _timeout(spec: Raw, *, has_finally: bool) -> timedelta | None:
    """Without finally tasks, none of the time that is kept for them is given; 0 means no limit."""
    limits = reading.mapping(spec, "timeouts")
    of_tasks = "" if has_finally else reading.text(limits, "tasks")
    try:
        return parse_duration(of_tasks or reading.text(limits, "pipeline")) or None
    except ValueError:
        return None


def digest_in(reference: str) -> str:
    """The digest that a bundle's reference is pinned by; empty where it has none."""
    return reference.partition("@")[2]


def _pinned_digest(spec: Raw) -> str:
    params = reading.mappings(reading.mapping(spec, "pipelineRef"), "params")
    bundle = next((item for item in params if item.get("name") == "bundle"), {})
    return digest_in(reading.text(bundle, "value"))


def _fetched_digest(status: Raw) -> str:
    source = reading.mapping(reading.mapping(status, "provenance"), "refSource")
    fetched = reading.text(reading.mapping(source, "digest"), "sha256")
    return f"sha256:{fetched}" if fetched else ""

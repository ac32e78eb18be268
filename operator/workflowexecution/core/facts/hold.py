"""A WorkflowHold, parsed: the launches that a person has stopped for now; and its release."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from workflowexecution.api import identity, reading
from workflowexecution.api.hold import parse_hold_spec
from workflowexecution.api.reading import Raw, format_time
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.text import one_line

# The reason of an execution that a hold keeps from being launched.
HELD: Final = "Held"
_BY_MAX: Final = 256
_FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold. All fields that it names must match; without any, it applies to everything.

    namespace, name: its own; the name is empty where holds cannot be read.
    for_namespace, target, workflow_id: the scope of the hold; empty for any.
    until: aware UTC, the time from which it no longer applies; None where it has no end.
    problem: why this hold is not valid, or why holds cannot be read; it then applies to everything.
    """

    namespace: str = ""
    name: str = ""
    for_namespace: str = ""
    target: str = ""
    workflow_id: str = ""
    by: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    problem: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether it has expired."""
        return self.until is not None and now >= self.until

    def concerns(self, target: str, workflow_id: str, namespace: str) -> bool:
        """Whether it applies to a workflow on a target; ``namespace`` is that of the execution."""
        return (
            names.is_on_target(target, self.target)
            and self.workflow_id in ("", workflow_id)
            and self.for_namespace in ("", namespace, _namespace_of(target))
        )

    @property
    def scope(self) -> str:
        """Its scope, for people."""
        parts = {
            "namespace": self.for_namespace,
            "target": self.target,
            "workflow": self.workflow_id,
        }
        named = [f"{kind} {value}" for kind, value in parts.items() if value]
        return ", ".join(named) or "everything"

    def describe(self) -> str:
        """The hold in words: name, scope, start, end and reason; the same at any time."""
        if not self.name:
            return f"nothing is launched while holds cannot be read: {self.problem}"
        which = f"WorkflowHold {self.namespace}/{self.name}"
        if self.problem:
            return (
                f"{which} cannot be understood, so it holds everything until it is deleted: "
                f"{self.problem}"
            )
        since = f" since {format_time(self.since)}" if self.since else ""
        until = f"until {format_time(self.until)}" if self.until else "until it is deleted"
        return f"held by {self.by}{since}, {until}: {self.reason} ({which}, {self.scope})"


def parse_hold(raw: Raw) -> Hold:
    """Read a WorkflowHold; one that is not valid applies to everything, and has a problem."""
    meta = reading.mapping(raw, "metadata")
    namespace, name = reading.text(meta, "namespace"), reading.text(meta, "name")
    since = reading.moment(meta, "creationTimestamp")
    spec, problem = parse_hold_spec(raw)
    if spec is None:
        return Hold(namespace=namespace, name=name, since=since, problem=problem)
    return Hold(
        namespace=namespace,
        name=name,
        for_namespace=spec.namespace or "",
        target=spec.target_resource or "",
        workflow_id=spec.workflow_id or "",
        by=spec.held_by,
        reason=spec.reason,
        since=since,
        until=spec.expires_at,
    )


@dataclass(frozen=True, slots=True)
class Release:
    """The release of a hold; `at` is aware UTC, in whole seconds."""

    hold: Hold
    by: str
    at: datetime


def notes_of_release(raw: Raw, by: str) -> dict[str, str]:
    """The annotations of the Event of a release: the hold as it was, and who has released it."""
    meta = reading.mapping(raw, "metadata")
    wanted = ("namespace", "name", "creationTimestamp")
    kept = {"metadata": {key: meta[key] for key in wanted if key in meta}, "spec": raw.get("spec")}
    return {identity.RELEASED_HOLD: json.dumps(kept), identity.RELEASED_BY: by}


def parse_release(event: Raw) -> Release | None:
    """Read the Event of a release; None where it has another form, as others may write it."""
    notes = reading.mapping(event, "metadata", "annotations")
    text, by = reading.texts(notes, (identity.RELEASED_HOLD,), (identity.RELEASED_BY,))
    at = reading.moment(event, "eventTime")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if at is None or not by or not isinstance(raw, dict):
        return None
    hold = parse_hold(raw)
    if hold.problem:
        return None
    return Release(hold, one_line(by[:_BY_MAX]), at.replace(microsecond=0))


def hold_on(holds: Iterable[Hold], execution: Execution, now: datetime) -> Hold | None:
    """Of the holds that apply to an execution, the one that lasts longest; None where none does."""
    found = [
        hold
        for hold in holds
        if not hold.is_over(now)
        and hold.concerns(execution.target, execution.workflow_id, execution.namespace)
    ]
    return max(found, key=_lasting, default=None)


def was_held(execution: Execution) -> bool:
    """Whether its status, as last written, reports a hold."""
    ready = reading.item(execution.raw, "status", "conditions", type="Succeeded")
    return reading.text(ready, "reason") == HELD


def _lasting(hold: Hold) -> tuple[datetime, str, str]:
    return (hold.until or _FOR_EVER, hold.namespace, hold.name)


def _namespace_of(target: str) -> str:
    """The namespace of a target; empty for a cluster-scoped one."""
    namespace, _, rest = target.partition("/")
    return namespace if "/" in rest else ""

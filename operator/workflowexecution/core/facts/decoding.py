"""Decodes executions and runs: the only place that turns the raw objects into facts.

A missing or wrongly typed field reads as empty: one malformed object must not stop the reading of
all others. These objects are read for every event, so no other module reads their fields again.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.api.duration import parse_duration
from workflowexecution.api.parameters import RESERVED_PARAMETER
from workflowexecution.api.spec import parse_spec
from workflowexecution.api.status import Phase
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.pipeline import Pipeline, parse_pipeline, text_of_results
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Asked, Owner, Run

Raw = Mapping[str, Any]

# Size of parameters in memory; those of nearly all executions are far smaller.
PARAMETERS_KEPT: Final = 16 * 1024
_PROBLEM_MAX: Final = 4096
_META: Final = (
    *("namespace", "name", "uid", "resourceVersion"),
    *("generation", "creationTimestamp", "deletionTimestamp"),
)
# The CRD limits the length of each of them.
_SPEC: Final = ("remediationRequestRef", "workflowRef", "targetResource", "executionConfig")
# A traceparent has 55 characters; a longer one has a dash there.
_TRACEPARENT_MAX: Final = 56
# The keys that name the execution and the workflow of a run.
_OWNER_KEYS: Final = (
    names.KEY_EXECUTION_UID,
    names.KEY_EXECUTION,
    names.KEY_SOURCE_NAMESPACE,
    names.KEY_WORKFLOW_ID,
)
# The value of ``spec.managedBy`` for a run that Tekton itself executes; no value means the same.
_TEKTON: Final = "tekton.dev/pipeline"
_PHASES: Final[dict[str, Phase]] = {phase.value: phase for phase in Phase}
_ASKED: Final[dict[str, Asked]] = {asked.value: asked for asked in Asked}
_NONE: Final[Raw] = {}
_TASKS_COMPLETED: Final = re.compile(r"Tasks Completed: ([0-9]+) \(")


def parse_execution(raw: Raw) -> Execution:
    """Read a WorkflowExecution; wrongly typed spec fields read as empty; never raises."""
    meta, spec = raw["metadata"], _mapping(raw, "spec")
    status = _mapping(raw, "status")
    phase, run = _text(status, "phase"), _mapping(status, "pipelineRunRef")
    target = _text(spec, "targetResource")
    return Execution(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        target=target,
        target_key=names.target_key(target),
        workflow_id=_text(_mapping(spec, "workflowRef"), "workflowId"),
        phase=_PHASES.get(phase),
        run_name=_text(run, "name") or None,
        run_namespace=_text(run, "namespace") or None,
        started_at=_moment(status, "startTime"),
        completed_at=_moment(status, "completionTime"),
        is_deleting=bool(meta.get("deletionTimestamp")),
        created_at=_moment(meta, "creationTimestamp"),
        generation=meta.get("generation", 1),
        pinned_digest=_pinned_by(_mapping(spec, "workflowRef")),
        has_old_finalizer=identity.OLD_FINALIZER in (meta.get("finalizers") or ()),
        raw={**raw, "metadata": {key: meta[key] for key in meta if key != "managedFields"}},
    )


def kept(seen: Execution) -> Execution:
    """The same execution without fields that are not needed again: at most about 40 KiB.

    Parameters that are large, or are already in a run, are left out. The execution is then not
    whole, and keeps the problem with its spec while that matters.
    """
    if not seen.is_whole:
        return seen
    meta, spec = _mapping(seen.raw, "metadata"), _mapping(seen.raw, "spec")
    has_run = seen.run_name is not None
    is_whole = not has_run and bool(spec) and _is_small(spec.get("parameters"))
    problem = "" if has_run or is_whole else parse_spec(seen.raw)[1]
    wanted = (*_SPEC, "parameters") if is_whole else _SPEC
    parent = _text(_mapping(meta, "annotations"), names.TRACEPARENT)
    small = {
        "metadata": {key: meta[key] for key in _META if key in meta}
        | {"annotations": {names.TRACEPARENT: parent[:_TRACEPARENT_MAX]} if parent else {}},
        "spec": {key: spec[key] for key in wanted if key in spec},
        "status": _mapping(seen.raw, "status"),
    }
    return replace(seen, raw=small, is_whole=is_whole, problem=problem[:_PROBLEM_MAX])


def parse_run(raw: Raw) -> Run | None:
    """Read a PipelineRun; None where it names no target, or is a part of another run."""
    meta, status = raw["metadata"], _mapping(raw, "status")
    spec, labels = _mapping(raw, "spec"), _mapping(meta, "labels")
    known = _keys_of_owner(_mapping(meta, "annotations"), labels)
    numbered = names.parse_run_name(meta["name"])
    if numbered is None and is_child_run(meta):
        return None
    target = _text(known, names.KEY_TARGET) or _target_parameter(spec) or None
    target_key = _target_key(target, labels, numbered)
    if not target_key:
        return None
    is_numbered = numbered is not None and numbered[0] == target_key
    condition = succeeded_condition(raw)
    message = _text(condition, "message")
    asked, manager = _text(spec, "status"), _text(spec, "managedBy")
    pipeline = parse_pipeline(status, has_failed=condition.get("status") == "False")
    return Run(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        target_key=target_key,
        run_number=numbered[1] if numbered and is_numbered else 0,
        target=target,
        workflow_id=_text(known, names.KEY_WORKFLOW_ID) or None,
        owner=parse_owner(known) if is_numbered else None,
        succeeded=_text(condition, "status") or "Unknown",
        reason=_text(condition, "reason"),
        message=message,
        created_at=_time(meta["creationTimestamp"]),
        started_at=_moment(status, "startTime"),
        completed_at=_moment(status, "completionTime"),
        completed_tasks=_count_in(message),
        task_names=pipeline.task_names,
        is_deleting=bool(meta.get("deletionTimestamp")),
        asked=_ASKED.get(asked, Asked.NOTHING),
        managed_by="" if manager == _TEKTON else manager,
        has_finally=pipeline.has_finally,
        timeout=_timeout(spec, has_finally=pipeline.has_finally),
        pinned_digest=_pinned_digest(spec),
        fetched_digest=_fetched_digest(status),
        result_text=text_of_results(status) if "results" in status else "",
        undeclared_parameters=_undeclared(spec, pipeline),
        is_cleared=bool(_text(known, identity.CLEAR_ANNOTATION).strip()),
        children=pipeline.children,
    )


def is_child_run(meta: Raw) -> bool:
    """Whether a run is a task of another run and has only copied that run's target.

    Its parent holds the target for it. A run that names its own target holds that target itself.
    """
    labels, known = _mapping(meta, "labels"), _mapping(meta, "annotations")
    parent = _text(labels, LABEL_PIPELINE_RUN)
    took_over = names.KEY_TARGET in known or names.KEY_TARGET_HASH in labels
    return took_over and any(
        owner.get("controller") is True
        and owner.get("kind") == "PipelineRun"
        and owner.get("name") == parent
        for owner in _mappings(meta, "ownerReferences")
    )


def succeeded_condition(raw: Raw) -> Raw:
    """The ``Succeeded`` condition of a Tekton object; empty where it has none yet."""
    conditions = _mappings(_mapping(raw, "status"), "conditions")
    return next((item for item in conditions if item.get("type") == "Succeeded"), {})


def parse_owner(annotations: Raw) -> Owner | None:
    """Read the execution that a run or its pod was made for; None where it names none."""
    uid = _text(annotations, names.KEY_EXECUTION_UID)
    if not uid:
        return None
    return Owner(
        uid=uid,
        namespace=_text(annotations, names.KEY_SOURCE_NAMESPACE),
        name=_text(annotations, names.KEY_EXECUTION),
    )


def digest_in(reference: str) -> str:
    """The digest in a bundle's reference; empty where it has none."""
    return reference.partition("@")[2]


def _is_small(parameters: Any) -> bool:
    if parameters is None:
        return True
    texts = (*parameters, *parameters.values()) if isinstance(parameters, dict) else (parameters,)
    are_texts = isinstance(parameters, dict) and all(isinstance(one, str) for one in texts)
    return are_texts and sum(map(sys.getsizeof, texts)) <= PARAMETERS_KEPT


def _keys_of_owner(annotations: Raw, labels: Raw) -> Raw:
    """The keys about a run's execution; from its labels where its annotations were removed.

    A label that has only a part of a name is not used: no other execution may seem to own it.
    """
    if _text(annotations, names.KEY_EXECUTION_UID):
        return annotations
    readable = {key: names.text_of_label(_text(labels, key)) for key in _OWNER_KEYS}
    whole = {key: text for key, text in readable.items() if text}
    return {**whole, **annotations} if len(whole) == len(_OWNER_KEYS) else annotations


def _target_parameter(spec: Raw) -> str:
    """The target in the parameters of a run that a user made by hand."""
    given = _mappings(spec, "params")
    return next(
        (_text(item, "value") for item in given if item.get("name") == RESERVED_PARAMETER),
        "",
    )


def _target_key(target: str | None, labels: Raw, numbered: tuple[str, int] | None) -> str:
    """The target key of a run, from the best source that it has; empty where it has none."""
    if target:
        return names.target_key(target)
    by_label = names.target_key_of_hash(_text(labels, names.KEY_TARGET_HASH))
    return by_label or (numbered[0] if numbered else "")


def _timeout(spec: Raw, *, has_finally: bool) -> timedelta | None:
    """The time limit; finally tasks get their share only where there are some; 0 means no limit."""
    limits = _mapping(spec, "timeouts")
    of_tasks = "" if has_finally else _text(limits, "tasks")
    try:
        return parse_duration(of_tasks or _text(limits, "pipeline")) or None
    except ValueError:
        return None


def _pinned_by(ref: Raw) -> str:
    return digest_in(_text(ref, "containerImage")) or _text(ref, "containerDigest")


def _pinned_digest(spec: Raw) -> str:
    params = _mappings(_mapping(spec, "pipelineRef"), "params")
    bundle = next((item for item in params if item.get("name") == "bundle"), {})
    return digest_in(_text(bundle, "value"))


def _fetched_digest(status: Raw) -> str:
    source = _mapping(_mapping(status, "provenance"), "refSource")
    fetched = _text(_mapping(source, "digest"), "sha256")
    return f"sha256:{fetched}" if fetched else ""


def _count_in(message: str) -> int:
    """Number of tasks that ended, with any result; 0 where the message has no count.

    Tekton writes the count into the condition's message and nowhere else: child references have
    no result, and a read of every TaskRun would cost a request for each change.
    """
    match = _TASKS_COMPLETED.match(message)
    return int(match[1]) if match else 0


def _undeclared(spec: Raw, pipeline: Pipeline) -> tuple[str, ...]:
    """Names of a run's parameters that its pipeline does not declare; empty until resolved.

    Tekton accepts them silently, and a misspelt one leaves the default of the right one.
    """
    if pipeline.parameters is None:
        return ()
    given = {_text(item, "name") for item in _mappings(spec, "params")}
    return tuple(sorted(given - pipeline.parameters - {RESERVED_PARAMETER, ""}))


def _mapping(raw: Raw, key: str) -> Raw:
    value = raw.get(key)
    return value if isinstance(value, dict) else _NONE


def _mappings(raw: Raw, key: str) -> list[Raw]:
    value = raw.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _moment(raw: Raw, key: str) -> datetime | None:
    try:
        return _time(_text(raw, key))
    except (ValueError, OverflowError):
        return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

"""Decodes executions and runs: the only place that turns the raw objects into facts.

A missing or wrongly typed field reads as empty: one malformed object must not stop the reading of
all others. These objects are read for every event, so no other module reads their fields again.
"""

import re
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from workflowexecution.api import identity, reading
from workflowexecution.api.inputs import RESERVED_PARAMETER
from workflowexecution.api.reading import Raw, parse_duration
from workflowexecution.api.status import Phase
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution, Request, noted_cancellation
from workflowexecution.core.facts.pipeline import parse_pipeline, text_of_results
from workflowexecution.core.facts.run import LABEL_PIPELINE_RUN, Asked, Owner, Run

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
_EXECUTION_TEXTS: Final = (
    ("spec", "targetResource"),
    ("spec", "workflowRef", "workflowId"),
    ("spec", "workflowRef", "containerImage"),
    ("spec", "workflowRef", "containerDigest"),
    ("spec", "remediationRequestRef", "namespace"),
    ("spec", "remediationRequestRef", "name"),
    ("spec", "remediationRequestRef", "uid"),
    ("status", "phase"),
    ("status", "pipelineRunRef", "name"),
    ("status", "pipelineRunRef", "namespace"),
)
_CREATED_AT: Final = ("metadata", "creationTimestamp")
_STARTED_AT: Final = ("status", "startTime")
_COMPLETED_AT: Final = ("status", "completionTime")
_RUN_TEXTS: Final = (
    ("spec", "status"),
    ("spec", "managedBy"),
    ("spec", "timeouts", "pipeline"),
    ("spec", "timeouts", "tasks"),
    ("status", "provenance", "refSource", "digest", "sha256"),
)
# The keys that name the execution and the workflow of a run.
_OWNER_KEYS: Final = (
    (names.KEY_EXECUTION_UID,),
    (names.KEY_SOURCE_NAMESPACE,),
    (names.KEY_EXECUTION,),
    (names.KEY_WORKFLOW_ID,),
)
_REQUEST_KEYS: Final = (
    (names.KEY_REQUEST_NAMESPACE,),
    (names.KEY_REQUEST,),
    (names.KEY_REQUEST_UID,),
)
_KEYS_OF_RUN: Final = (
    (names.KEY_TARGET,),
    (names.KEY_WORKFLOW_ID,),
    (identity.CLEAR_ANNOTATION,),
)
_CANCELS: Final = (Asked.CANCEL_FIRST, Asked.CANCEL)
_HASH_LABEL: Final = ("labels", names.KEY_TARGET_HASH)
# The value of ``spec.managedBy`` for a run that Tekton itself executes; no value means the same.
_TEKTON: Final = "tekton.dev/pipeline"
_PHASES: Final[dict[str, Phase]] = {phase.value: phase for phase in Phase}
_ASKED: Final[dict[str, Asked]] = {asked.value: asked for asked in Asked}
_TASKS_COMPLETED: Final = re.compile(r"Tasks Completed: ([0-9]+) \(")


def parse_execution(raw: Raw) -> Execution:
    """Read a WorkflowExecution; wrongly typed spec fields read as empty; never raises."""
    meta = raw["metadata"]
    target, workflow_id, image, digest, *request, phase, run_name, run_namespace = reading.texts(
        raw, *_EXECUTION_TEXTS
    )
    target_key, former_key = names.target_keys(target)
    created_at, started_at, completed_at = reading.moments(
        raw, _CREATED_AT, _STARTED_AT, _COMPLETED_AT
    )
    return Execution(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        target=target,
        target_key=target_key,
        former_key=former_key,
        workflow_id=workflow_id,
        phase=_PHASES.get(phase),
        run_name=run_name or None,
        run_namespace=run_namespace or None,
        started_at=started_at,
        completed_at=completed_at,
        is_deleting=bool(meta.get("deletionTimestamp")),
        created_at=created_at,
        generation=meta.get("generation", 1),
        pinned_digest=digest_in(image) or digest,
        has_old_finalizer=identity.OLD_FINALIZER in (meta.get("finalizers") or ()),
        raw={**raw, "metadata": {key: meta[key] for key in meta if key != "managedFields"}},
        request=_request(meta["namespace"], *request),
    )


def kept(seen: Execution) -> Execution:
    """The same execution without fields that are not needed again: at most about 40 KiB.

    Parameters that are large, or are already in a run, are left out. The execution is then not
    whole, and keeps the problem with its spec while that matters.
    """
    if not seen.is_whole:
        return seen
    meta, spec = seen.raw["metadata"], reading.mapping(seen.raw, "spec")
    has_run = seen.run_name is not None
    is_whole = not has_run and bool(spec) and _is_small(spec.get("parameters"))
    problem = "" if has_run or is_whole else _problem_of_spec(seen.raw)
    wanted = (*_SPEC, "parameters") if is_whole else _SPEC
    parent = reading.text(meta, "annotations", names.TRACEPARENT)
    small = {
        "metadata": {key: meta[key] for key in _META if key in meta}
        | {"annotations": {names.TRACEPARENT: parent[:_TRACEPARENT_MAX]} if parent else {}},
        "spec": {key: spec[key] for key in wanted if key in spec},
        "status": reading.mapping(seen.raw, "status"),
    }
    return replace(seen, raw=small, is_whole=is_whole, problem=problem[:_PROBLEM_MAX])


def parse_run(raw: Raw) -> Run | None:
    """Read a PipelineRun; None where it names no target, or is a part of another run."""
    meta = raw["metadata"]
    numbered = names.parse_run_name(meta["name"])
    if numbered is None and is_child_run(meta):
        return None
    known = _keys_of_owner(meta)
    target, workflow_id, cleared = reading.texts(known, *_KEYS_OF_RUN)
    target = target or _target_parameter(raw)
    target_key = _target_key(target, meta, numbered)
    if not target_key:
        return None
    is_numbered = numbered is not None and is_own_key(numbered[0], target_key, target)
    # Finally tasks get their share of the time only where there are some.
    succeeded, reason, message = succeeded_condition(raw)
    asked, manager, of_all, of_tasks, fetched = reading.texts(raw, *_RUN_TEXTS)
    started_at, completed_at = reading.moments(raw, _STARTED_AT, _COMPLETED_AT)
    created_at = reading.parse_time(meta["creationTimestamp"])
    pipeline = parse_pipeline(raw, has_failed=succeeded == "False")
    asked_for = _resolver_parameters(raw)
    return Run(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        target_key=target_key,
        run_number=numbered[1] if numbered and is_numbered else 0,
        target=target or None,
        workflow_id=workflow_id or None,
        owner=parse_owner(known) if is_numbered else None,
        succeeded=succeeded or "Unknown",
        reason=reason,
        message=message,
        created_at=created_at,
        started_at=started_at,
        completed_at=completed_at,
        completed_tasks=_count_in(message),
        task_names=pipeline.task_names,
        is_deleting=bool(meta.get("deletionTimestamp")),
        asked=_ASKED.get(asked, Asked.NOTHING),
        managed_by="" if manager == _TEKTON else manager,
        has_finally=pipeline.has_finally,
        timeout=_timeout(of_all if pipeline.has_finally else of_tasks or of_all),
        pinned_digest=digest_in(asked_for.get("bundle", "")),
        account=asked_for.get("serviceAccount", ""),
        fetched_digest=f"sha256:{fetched}" if fetched else "",
        result_text=text_of_results(raw),
        undeclared=pipeline.undeclared,
        is_cleared=bool(cleared.strip()),
        cancellation=noted_cancellation(known, created_at) if asked in _CANCELS else None,
        children=pipeline.children,
    )


def is_child_run(meta: Raw) -> bool:
    """Whether a run is a task of another run and has only copied that run's target.

    Its parent holds the target for it. A run that names its own target holds that target itself.
    """
    parent, hashed = reading.texts(meta, ("labels", LABEL_PIPELINE_RUN), _HASH_LABEL)
    took_over = hashed or reading.text(meta, "annotations", names.KEY_TARGET)
    return bool(took_over) and any(
        owner.get("controller") is True
        and owner.get("kind") == "PipelineRun"
        and owner.get("name") == parent
        for owner in reading.mappings(meta, "ownerReferences")
    )


def succeeded_condition(raw: Raw) -> tuple[str, str, str]:
    """Status, reason and message of a Tekton object's condition ``Succeeded``; empty without it."""
    condition = reading.item(raw, "status", "conditions", type="Succeeded")
    status, reason, message = reading.texts(condition, ("status",), ("reason",), ("message",))
    return status, reason, message


def parse_owner(annotations: Raw) -> Owner | None:
    """Read the execution that a run or its pod was made for; None where it names none."""
    uid, namespace, name, _, *request = reading.texts(annotations, *_OWNER_KEYS, *_REQUEST_KEYS)
    if not uid:
        return None
    of_owner = _request(namespace, *request)
    return Owner(uid=uid, namespace=namespace, name=name, request=of_owner)


def _request(beside: str, namespace: str, name: str, uid: str) -> Request | None:
    """A request, in the namespace of its execution if it names none; None where it has no name."""
    return Request(namespace or beside, name, uid) if name else None


def is_own_key(in_name: str, target_key: str, target: str) -> bool:
    """Whether the key in a run's name is that of its target, in this or in an earlier version."""
    return in_name == target_key or (bool(target) and names.is_key_of(in_name, target))


def digest_in(reference: str) -> str:
    """The digest in a bundle's reference; empty where it has none."""
    return reference.partition("@")[2]


def _problem_of_spec(raw: Raw) -> str:
    # Imported here, because pydantic takes longer to load than all that only reads executions.
    from workflowexecution.api.spec import parse_spec

    return parse_spec(raw)[1]


def _is_small(parameters: Any) -> bool:
    if parameters is None:
        return True
    texts = (*parameters, *parameters.values()) if isinstance(parameters, dict) else (parameters,)
    are_texts = isinstance(parameters, dict) and all(isinstance(one, str) for one in texts)
    return are_texts and sum(map(sys.getsizeof, texts)) <= PARAMETERS_KEPT


def _keys_of_owner(meta: Raw) -> Raw:
    """The keys about a run's execution; from its labels where its annotations were removed.

    A label that has only a part of a name is not used: no other execution may seem to own it.
    """
    annotations = reading.mapping(meta, "annotations")
    if annotations.get(names.KEY_EXECUTION_UID):
        return annotations
    keys = (*_OWNER_KEYS, (names.KEY_REQUEST,))
    labels = reading.texts(meta, *(("labels", *key) for key in keys))
    whole = [names.text_of_label(text) for text in labels]
    if not all(whole[: len(_OWNER_KEYS)]):
        return annotations
    return {**{key: text for (key,), text in zip(keys, whole, strict=True)}, **annotations}


def _target_parameter(raw: Raw) -> str:
    """The target in the parameters of a run that a user made by hand."""
    return reading.text(reading.item(raw, "spec", "params", name=RESERVED_PARAMETER), "value")


def _target_key(target: str, meta: Raw, numbered: tuple[str, int] | None) -> str:
    """The target key of a run, from the best source that it has; empty where it has none."""
    if target:
        return names.target_key(target)
    by_label = names.target_key_of_hash(reading.text(meta, *_HASH_LABEL))
    return by_label or (numbered[0] if numbered else "")


def _timeout(limit: str) -> timedelta | None:
    """A time limit; 0 means no limit."""
    try:
        return parse_duration(limit) or None
    except ValueError:
        return None


def _resolver_parameters(raw: Raw) -> dict[str, str]:
    """The request to Tekton's resolver: texts by name."""
    found = reading.mappings(raw, "spec", "pipelineRef", "params")
    pairs = [(item.get("name"), item.get("value")) for item in found]
    return {
        name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)
    }


def _count_in(message: str) -> int:
    """Number of tasks that ended, with any result; 0 where the message has no count.

    Tekton writes the count into the condition's message and nowhere else: child references have
    no result, and a read of every TaskRun would cost a request for each change.
    """
    match = _TASKS_COMPLETED.match(message)
    return int(match[1]) if match else 0

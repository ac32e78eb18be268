"""The PipelineRun of an execution: a manifest ready to be created, and its place in a trace.

The place is derived from the execution alone. Its ids are made from the UID, so that every operator
gives the same ones, even after a restart. So no span has to stay open while a run is active.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from workflowexecution.api import identity, reading
from workflowexecution.api.inputs import RESERVED_PARAMETER
from workflowexecution.api.pod import RunPod
from workflowexecution.api.spec import WorkflowExecutionSpec
from workflowexecution.core import names
from workflowexecution.core.facts.execution import Execution

PIPELINE_NAME: Final = "workflow"
_ANY_POD: Final = RunPod()
# The format of W3C's Trace Context; a later version may have more fields at the end.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTemplate:
    """The settings that the operator adds to every run.

    allowed_service_accounts: names an execution may ask for; empty means any.
    security_context: of the run's pods, in the form of Kubernetes; empty means none.
    pod: what else all pods of the run have; its security context adds to the one above.
    pod_template: both of them, in the form of Tekton.
    finally_timeout: time for the finally tasks, in addition to the run's time limit.
    is_traced: whether Tekton gets the run's span as the parent of its own spans.
    """

    namespace: str
    allowed_service_accounts: frozenset[str]
    security_context: Mapping[str, Any]
    finally_timeout: timedelta
    pod: RunPod = _ANY_POD
    is_traced: bool = False
    # Made once: it is the same for every run.
    pod_template: Mapping[str, Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        given = self.pod.to_template()
        context = {**self.security_context, **given.get("securityContext", {})}
        object.__setattr__(self, "pod_template", {**given, "securityContext": context})


def build_run(
    execution: Execution, spec: WorkflowExecutionSpec, name: str, template: RunTemplate
) -> dict[str, Any]:
    """Build the PipelineRun manifest; deterministic, so that a repeated create is identical."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": name,
            "namespace": template.namespace,
            "labels": _labels(execution),
            # Tekton copies them to the TaskRuns and pods of the run.
            "annotations": (template.pod.annotations or {})
            | _annotations(execution)
            | _span(execution, template),
        },
        "spec": {
            "pipelineRef": {"resolver": "bundles", "params": _bundle(spec, template.pod)},
            "params": _params(spec),
            "timeouts": _timeouts(timeout_of(spec), template.finally_timeout),
            "taskRunTemplate": {
                "serviceAccountName": service_account_of(spec),
                "podTemplate": dict(template.pod_template),
            },
        },
    }


def timeout_of(spec: WorkflowExecutionSpec) -> timedelta:
    """The time limit of the run; the API server sets a default where none is given."""
    return reading.parse_duration(spec.execution_config.timeout or identity.DEFAULT_TIMEOUT)


def service_account_of(spec: WorkflowExecutionSpec) -> str:
    """Name of the ServiceAccount the run uses, in the execution namespace."""
    return spec.execution_config.service_account_name or identity.DEFAULT_SERVICE_ACCOUNT


def pinned_image(spec: WorkflowExecutionSpec) -> str:
    """The bundle reference, with its digest if one is given, so that the audited bundle runs."""
    image, digest = spec.workflow_ref.container_image, spec.workflow_ref.container_digest
    return f"{image}@{digest}" if digest and "@" not in image else image


def problem_of(spec: WorkflowExecutionSpec, allowed: Collection[str]) -> str:
    """The reason not to run a well-formed spec, with field, value and fix; else empty.

    ``allowed`` are the ServiceAccounts that executions may name; empty means any.
    """
    account = service_account_of(spec)
    if allowed and account not in allowed:
        return (
            f"spec.executionConfig.serviceAccountName: {account!r} is not allowed; "
            f"use one of {', '.join(sorted(allowed))}"
        )
    image, digest = spec.workflow_ref.container_image, spec.workflow_ref.container_digest
    pinned = image.partition("@")[2]
    if digest and pinned and pinned != digest:
        return (
            f"spec.workflowRef.containerDigest: {digest!r} differs from the digest in "
            f"containerImage {image!r}; make them the same"
        )
    return ""


def _labels(execution: Execution) -> dict[str, str]:
    request = execution.request
    # Only the whole name: people select by it.
    is_label = request is not None and names.text_of_label(request.name) == request.name
    by_request = {names.KEY_REQUEST: request.name} if request and is_label else {}
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.KEY_EXECUTION: names.label_value(execution.name),
        names.KEY_EXECUTION_UID: execution.uid,
        names.KEY_SOURCE_NAMESPACE: names.label_value(execution.namespace),
        names.KEY_WORKFLOW_ID: names.label_value(execution.workflow_id),
        names.KEY_TARGET: names.label_value(execution.target),
        names.KEY_TARGET_HASH: names.target_hash(execution.target),
        **by_request,
    }


def _annotations(execution: Execution) -> dict[str, str]:
    return {
        names.KEY_EXECUTION: execution.name,
        names.KEY_EXECUTION_UID: execution.uid,
        names.KEY_SOURCE_NAMESPACE: execution.namespace,
        names.KEY_WORKFLOW_ID: execution.workflow_id,
        names.KEY_TARGET: execution.target,
        **_request_of(execution),
    }


def _request_of(execution: Execution) -> dict[str, str]:
    """The request, so that a later skip can name it when the execution is deleted."""
    request = execution.request
    if request is None:
        return {}
    uid = {names.KEY_REQUEST_UID: request.uid} if request.uid else {}
    return {
        names.KEY_REQUEST: request.name,
        names.KEY_REQUEST_NAMESPACE: request.namespace,
        **uid,
    }


def _timeouts(limit: timedelta, of_finally: timedelta) -> dict[str, str]:
    """All three limits, so that Tekton adds no default, at which it would end a task.

    The finally tasks have their own time, which the other tasks cannot use up.
    """
    parts = {"pipeline": limit + of_finally, "tasks": limit, "finally": of_finally}
    return {key: reading.format_duration(value) for key, value in parts.items()}


def _span(execution: Execution, template: RunTemplate) -> dict[str, str]:
    return {names.TEKTON_SPAN: trace_of(execution).for_tekton} if template.is_traced else {}


def _bundle(spec: WorkflowExecutionSpec, pod: RunPod) -> list[dict[str, str]]:
    """The parameters of Tekton's resolver, with the pull secrets of the run's own account.

    It takes one secret at most. A version that does not know one of them passes over it.
    """
    secrets = [secret.name for secret in pod.image_pull_secrets or ()]
    return [
        {"name": "bundle", "value": pinned_image(spec)},
        {"name": "name", "value": PIPELINE_NAME},
        {"name": "kind", "value": "pipeline"},
        {"name": "serviceAccount", "value": service_account_of(spec)},
        *({"name": "secret", "value": name} for name in secrets[:1]),
    ]


def _params(spec: WorkflowExecutionSpec) -> list[dict[str, str]]:
    given = [{"name": key, "value": value} for key, value in sorted(spec.parameters.items())]
    return [*given, {"name": RESERVED_PARAMETER, "value": spec.target_resource}]


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Ids in lower-case hex: 32 digits of a trace, 16 of a span.

    parent_id: the span of the execution's creator; empty where the execution names none.
    is_sampled: false where the creator wants nothing recorded.
    """

    trace_id: str
    parent_id: str
    execution_id: str
    run_id: str
    is_sampled: bool

    @property
    def traceparent(self) -> str:
        """The execution's own span, as the parent of other spans."""
        return _traceparent(self, self.execution_id)

    @property
    def for_tekton(self) -> str:
        """The run's span, in the form that Tekton reads from a PipelineRun's annotation."""
        return json.dumps({"traceparent": _traceparent(self, self.run_id)})


def trace_of(execution: Execution) -> TraceContext:
    """Continue the trace that the execution's annotation names; without one, begin a new trace."""
    annotations = reading.mapping(execution.raw, "metadata", "annotations")
    given = _TRACEPARENT.fullmatch(reading.text(annotations, names.TRACEPARENT))
    trace_id, parent_id, flags = given.groups() if given else (None, "", "01")
    return TraceContext(
        trace_id=trace_id or _hex(execution.uid, "trace", 32),
        parent_id=parent_id,
        execution_id=_hex(execution.uid, "execution", 16),
        run_id=_hex(execution.uid, "run", 16),
        is_sampled=bool(int(flags, 16) & 1),
    )


def _traceparent(trace: TraceContext, span_id: str) -> str:
    return f"00-{trace.trace_id}-{span_id}-{'01' if trace.is_sampled else '00'}"


def _hex(uid: str, purpose: str, digits: int) -> str:
    return hashlib.sha256(f"{uid}/{purpose}".encode()).hexdigest()[:digits]

"""The fields of executions and of runs that are decoded: the rest of an object is skipped.

For a PipelineRun these are a tenth, without the scripts of its tasks. Only fields that are named
here are decoded, so each new field that the code reads must be added here.
"""

from typing import Any, TypedDict

# The names are literals, because a type takes no constants; ``identity`` and ``names`` have them.
_Annotations = TypedDict(
    "_Annotations",
    {"kubernaut.ai/traceparent": Any, "kubernaut.ai/clear-execution-block": Any},
    total=False,
)


class _Metadata(TypedDict, total=False):
    name: Any
    namespace: Any
    uid: Any
    resourceVersion: Any
    creationTimestamp: Any
    deletionTimestamp: Any


class _ExecutionMetadata(_Metadata, total=False):
    generation: Any
    finalizers: Any
    annotations: _Annotations


class _Spec(TypedDict, total=False):
    remediationRequestRef: Any
    workflowRef: Any
    targetResource: Any
    parameters: Any
    executionConfig: Any


class ShapeOfExecution(TypedDict, total=False):
    """A WorkflowExecution."""

    metadata: _ExecutionMetadata
    spec: _Spec
    status: Any


class EventOfExecution(TypedDict, total=False):
    """One event of a watch of WorkflowExecutions."""

    type: Any
    object: ShapeOfExecution


class PageOfExecutions(TypedDict, total=False):
    """One page of a list of WorkflowExecutions."""

    metadata: Any
    items: list[ShapeOfExecution]


class _Named(TypedDict, total=False):
    name: Any


class _Present(TypedDict, total=False):
    """Only its presence matters."""


class _TaskSpec(TypedDict, total=False):
    apiVersion: Any
    kind: Any
    sidecars: list[_Named]


class _Task(TypedDict, total=False):
    name: Any
    taskRef: Any
    taskSpec: _TaskSpec
    pipelineRef: _Present
    pipelineSpec: _Present
    retries: Any
    onError: Any


# One of its fields is a keyword.
_Pipeline = TypedDict(
    "_Pipeline",
    {"params": list[_Named], "tasks": list[_Task], "finally": list[_Task]},
    total=False,
)


class _RunMetadata(_Metadata, total=False):
    labels: Any
    annotations: Any
    ownerReferences: Any


class _Status(TypedDict, total=False):
    conditions: Any
    startTime: Any
    completionTime: Any
    results: Any
    provenance: Any
    pipelineSpec: _Pipeline


class _Run(TypedDict, total=False):
    metadata: _RunMetadata
    spec: Any
    status: _Status


class EventOfRun(TypedDict, total=False):
    """One event of a watch of PipelineRuns."""

    type: Any
    object: _Run


class PageOfRuns(TypedDict, total=False):
    """One page of a list of PipelineRuns."""

    metadata: Any
    items: list[_Run]

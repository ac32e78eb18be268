"""The fields of a WorkflowExecution that are decoded: without rationale and others' notes.

A field that is not named here is never decoded, so whoever reads one more names it here, too.
"""

from typing import Any, TypedDict

# The names are written out: a type takes no constants. ``identity`` and ``names`` have them.
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
    generation: Any
    creationTimestamp: Any
    deletionTimestamp: Any
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

    metadata: _Metadata
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

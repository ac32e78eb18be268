"""The fields of a PipelineRun that are decoded: a tenth of it, without the scripts of its tasks.

A field that is not named here is never decoded, so whoever reads one more names it here, too.
"""

from typing import Any, TypedDict


class _Named(TypedDict, total=False):
    name: Any


class _Present(TypedDict, total=False):
    """Of interest is only that it is there."""


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


class _Metadata(TypedDict, total=False):
    name: Any
    namespace: Any
    uid: Any
    resourceVersion: Any
    creationTimestamp: Any
    deletionTimestamp: Any
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
    metadata: _Metadata
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

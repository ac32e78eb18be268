"""The library for orchestrators: build executions, and read their results.

Pure functions of API objects, as any client returns them; no I/O, no clock.
"""

from workflowexecution.api.crd import build_json_schema
from workflowexecution.api.discovery import ServedKinds, TargetFit, check_against, parse_kinds
from workflowexecution.orchestrator.advice import Advice, NextStep, advice_for
from workflowexecution.orchestrator.build import (
    Request,
    Workflow,
    build_execution,
    build_target_resource,
    execution_name,
    is_attempt_at,
    is_for_request,
    parse_request,
)
from workflowexecution.orchestrator.interpret import (
    DuplicateGroup,
    Interpretation,
    Key,
    Standing,
    group_duplicates,
    interpret,
)

__all__ = [
    "Advice",
    "DuplicateGroup",
    "Interpretation",
    "Key",
    "NextStep",
    "Request",
    "ServedKinds",
    "Standing",
    "TargetFit",
    "Workflow",
    "advice_for",
    "build_execution",
    "build_json_schema",
    "build_target_resource",
    "check_against",
    "execution_name",
    "group_duplicates",
    "interpret",
    "is_attempt_at",
    "is_for_request",
    "parse_kinds",
    "parse_request",
]

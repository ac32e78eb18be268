"""A spec as somebody wrote it, read strictly: a model, or what is wrong with it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflowexecution.api.hold import WorkflowHoldSpec
from workflowexecution.api.spec import WorkflowExecutionSpec

_Spec = TypeVar("_Spec", bound=BaseModel)


def parse_spec(raw: Mapping[str, Any]) -> tuple[WorkflowExecutionSpec | None, str]:
    """Read ``spec`` of a WorkflowExecution.

    Returns: the model and an empty text, or None and a text naming each field and its fix.
    """
    return _parse(WorkflowExecutionSpec, raw)


def parse_hold_spec(raw: Mapping[str, Any]) -> tuple[WorkflowHoldSpec | None, str]:
    """Read ``spec`` of a WorkflowHold; returns the same."""
    return _parse(WorkflowHoldSpec, raw)


def _parse(model: type[_Spec], raw: Mapping[str, Any]) -> tuple[_Spec | None, str]:
    try:
        return model.model_validate(raw.get("spec") or {}), ""
    except ValidationError as error:
        return None, "; ".join(problem_of(item) for item in error.errors())


def problem_of(item: ErrorDetails) -> str:
    """One error of the spec in a sentence: field, value and what is wrong with it."""
    field = ".".join(str(part) for part in ("spec", *item["loc"]))
    said = message_of(item)
    # Our own checks name the value themselves; of what is missing there is none to name.
    given = "" if item["type"] in ("missing", "value_error") else f"{item['input']!r:.200}: "
    return f"{field}: {given}{said}"


def message_of(item: ErrorDetails) -> str:
    """What pydantic says of one error, without the words that it puts before our own."""
    return item["msg"].removeprefix("Value error, ")

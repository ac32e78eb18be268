"""Statuses as JSON: read leniently, written exactly, and the merge patch between two."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from workflowexecution.api.status import WorkflowExecutionStatus


def parse_status(raw: Mapping[str, Any]) -> WorkflowExecutionStatus:
    """Read a status; fields that somebody else wrote in a form of their own read as absent."""
    try:
        return WorkflowExecutionStatus.model_validate(raw)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors()}
        return WorkflowExecutionStatus.model_validate(
            {key: value for key, value in raw.items() if key not in wrong}
        )


def status_to_json(status: WorkflowExecutionStatus) -> dict[str, Any]:
    """The status as the API carries it; fields without a value are absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def status_patch(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Merge patch that turns one status into the other; empty when they say the same.

    Whatever is no longer wanted is nulled, at any depth: a merge patch keeps what it does not name.
    """
    changed = {
        key: _value_patch(current.get(key), value)
        for key, value in wanted.items()
        if key not in current or current[key] != value
    }
    return {**changed, **{key: None for key in current if key not in wanted}}


def _value_patch(before: Any, value: Any) -> Any:
    both = isinstance(before, Mapping) and isinstance(value, Mapping)
    return status_patch(before, value) if both else value

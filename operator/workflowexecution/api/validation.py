"""The spec as an orchestrator wrote it, read strictly: a model, or what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from workflowexecution.api.spec import WorkflowExecutionSpec


def parse_spec(raw: Mapping[str, Any]) -> tuple[WorkflowExecutionSpec | None, str]:
    """Read ``spec`` of a WorkflowExecution.

    Returns: the model and an empty text, or None and a text naming each field and its fix.
    """
    try:
        return WorkflowExecutionSpec.model_validate(raw.get("spec") or {}), ""
    except ValidationError as error:
        return None, "; ".join(_problem(item) for item in error.errors())


def _problem(item: Any) -> str:
    field = ".".join(str(part) for part in ("spec", *item["loc"]))
    said = str(item["msg"]).removeprefix("Value error, ")
    # Our own checks name the value themselves; of what is missing there is none to name.
    given = "" if item["type"] in ("missing", "value_error") else f"{item['input']!r:.200}: "
    return f"{field}: {given}{said}"

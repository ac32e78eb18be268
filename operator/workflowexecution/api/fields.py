"""The base of the models: what their fields look like in JSON, and their schema in a CRD."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from workflowexecution.api import identity
from workflowexecution.api.reading import format_duration, format_time, parse_duration

# Heading, type, path, and priority: 0 is always shown, 1 only with ``-o wide``.
Column = tuple[str, str, str, int]

_DROPPED: Final = ("title", "$defs", "additionalProperties")


class Model(BaseModel):
    """Base of every API model: camelCase in JSON, immutable in memory, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )


def cel(rule: str, message: str) -> dict[str, Any]:
    """Schema extension: a rule that the API server checks, and its message for a broken rule."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def _read_duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _whole_seconds(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        # The API server accepts a time that only in UTC is before the year 1 or after 9999.
        raise ValueError(
            f"{value.isoformat()!r} is out of range; use a year of our time"
        ) from error


Time = Annotated[
    datetime,
    AfterValidator(_whole_seconds),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string"}),
]
INT32: Final[dict[str, Any]] = {"format": "int32"}


_Model = TypeVar("_Model", bound=BaseModel)


def parse_model(model: type[_Model], raw: Mapping[str, Any]) -> tuple[_Model | None, str]:
    """Read ``spec`` of an object: a model, or a text naming each field and its fix."""
    try:
        return model.model_validate(raw.get("spec") or {}), ""
    except ValidationError as error:
        return None, "; ".join(problem_of_field(item) for item in error.errors())


def problem_of_field(item: ErrorDetails) -> str:
    """The sentence for one error of the spec: the field, its value and the problem."""
    field = ".".join(str(part) for part in ("spec", *item["loc"]))
    said = message_of_field(item)
    # Our own checks name the value in their message; a missing field has no value.
    given = "" if item["type"] in ("missing", "value_error") else f"{item['input']!r:.200}: "
    return f"{field}: {given}{said}"


def message_of_field(item: ErrorDetails) -> str:
    """The message of one error, without the prefix that pydantic adds to ours."""
    return item["msg"].removeprefix("Value error, ")


def definition(
    names: dict[str, Any],
    columns: Iterable[Column],
    schema: dict[str, Any],
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The definition of a namespaced kind; ``more`` are further fields of its only version."""
    version = {
        "name": identity.VERSION,
        "served": True,
        "storage": True,
        **(more or {}),
        "additionalPrinterColumns": [_column(*column) for column in columns],
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{identity.GROUP}"},
        "spec": {
            "group": identity.GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    """A column; the API server drops a priority of 0, which Argo CD would take for a change."""
    more = {"priority": priority} if priority else {}
    return {"name": name, "type": kind, "jsonPath": path, **more}


def root(description: str, **parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole object; ``parts`` are its spec and, where it has one, its status."""
    return {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API."},
            "kind": {"type": "string", "description": "Kind of the object."},
            "metadata": {"type": "object"},
            **parts,
        },
    }


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """Turn a model's JSON Schema into a structural schema: references inlined, nulls dropped."""
    schema = model.model_json_schema(
        by_alias=True, mode="validation", schema_generator=GenerateJsonSchema
    )
    result = _inline(schema, schema.get("$defs", {}))
    assert isinstance(result, dict)
    return result


def _inline(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolve(node, defs)
    kept = {key: _inline(value, defs) for key, value in node.items() if key not in _DROPPED}
    if "properties" in node:
        kept["properties"] = {
            key: _inline(value, defs) for key, value in node["properties"].items()
        }
    elif node.get("type") == "object" and isinstance(node.get("additionalProperties"), dict):
        kept["additionalProperties"] = _inline(node["additionalProperties"], defs)
    if kept.get("default", ...) is None:
        del kept["default"]
    kept.pop("const", None)
    # The message of a rule explains more than a bare pattern does.
    if "x-kubernetes-validations" in kept:
        kept.pop("pattern", None)
    return kept


def _resolve(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference and choose the branch of an optional that is not null."""
    if "anyOf" in node:
        branch = next(item for item in node["anyOf"] if item.get("type") != "null")
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return _resolve({**branch, **rest}, defs)
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _resolve({**defs[node["$ref"].rsplit("/", 1)[1]], **rest}, defs)
    return node

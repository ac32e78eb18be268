"""Field types shared by the models: how times, durations and names look in JSON."""

from collections.abc import Mapping
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
from pydantic_core import ErrorDetails

from workflowexecution.api import duration


class Model(BaseModel):
    """Base of every API model: camelCase in JSON, immutable in memory, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )


def cel(rule: str, message: str) -> dict[str, Any]:
    """Schema extension: a rule that the API server checks, and its message for a broken rule."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def _read_duration(value: Any) -> Any:
    return duration.parse_duration(value) if isinstance(value, str) else value


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
    PlainSerializer(duration.format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(duration.format_duration, return_type=str),
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

"""Field types shared by the models: how times, durations and names look in JSON."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from workflowexecution.api import duration


class Model(BaseModel):
    """Base of every API model: camelCase in JSON, immutable in memory, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore"
    )


def cel(rule: str, message: str) -> dict[str, Any]:
    """Schema extension: a rule the API server checks, and what it answers when broken."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as ``metav1.Time`` writes it."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time; Raises ValueError when it is none."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _read_duration(value: Any) -> Any:
    return duration.parse_duration(value) if isinstance(value, str) else value


def _whole_seconds(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        # The API server stores what is before the year 1 or after 9999 in UTC only.
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
    PlainSerializer(duration.format_duration, return_type=str),
    WithJsonSchema({"type": "string"}),
]
INT32: Final[dict[str, Any]] = {"format": "int32"}

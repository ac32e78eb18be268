"""The description of a metric, for the reference that is made from the code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


@dataclass(frozen=True, slots=True)
class Described:
    """One metric; ``labels`` gives for each label the values it can have."""

    name: str
    kind: str
    text: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def series(self) -> tuple[str, ...]:
        """Names of its series, as expressions use them."""
        return tuple(self.name + part for part in _PARTS.get(self.kind, ("",)))

"""The target resource: the text that names what a workflow changes, and what is locked."""

import re
from dataclasses import dataclass
from typing import Final

MAX_LENGTH: Final = 512
_PART: Final = re.compile(r"[^/\s]+")


@dataclass(frozen=True, slots=True)
class TargetResource:
    """One Kubernetes object; ``namespace`` is empty when the object is cluster-scoped."""

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        """The form the API carries: ``namespace/kind/name`` or ``kind/name``."""
        return "/".join(part for part in (self.namespace, self.kind, self.name) if part)


def parse_target(text: str) -> TargetResource:
    """Read ``namespace/kind/name`` or ``kind/name``; casing is kept.

    Raises: ValueError naming the text and the form expected; handled where input is parsed.
    """
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError(
            f"{text!r} is not a target; write namespace/kind/name, "
            "or kind/name for a cluster-scoped resource, without blanks"
        )
    namespace = parts[0] if len(parts) == 3 else ""
    return TargetResource(namespace=namespace, kind=parts[-2], name=parts[-1])

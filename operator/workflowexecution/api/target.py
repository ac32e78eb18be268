"""The target resource: the text that names the object that a workflow changes and locks.

The lock protects that object only if the text stays the same on its way to a step. So a target has
no character that Tekton, the kubelet or a shell expands, and no part of it can be read as an option
or as a parent directory.
"""

import re
from dataclasses import dataclass, fields
from typing import Final

MAX_LENGTH: Final = 512
_FORM: Final = "namespace/kind/name, or kind/name for a cluster-scoped resource"
# The pattern of each part, and its explanation in words. A name may be as long as Kubernetes
# allows, and may be that of an RBAC object, such as system:node-proxier.
_PARTS: Final = {
    "namespace": ("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "be the name of a namespace"),
    "kind": ("[A-Za-z][A-Za-z0-9]{0,62}", "be letters and digits, a letter first"),
    "name": (
        "[A-Za-z0-9][-A-Za-z0-9._:]{0,252}",
        "be letters, digits, '-', '.', ':' and '_', a letter or digit first",
    ),
}
_PATTERN: Final = "({}/)?{}/{}".format(*(pattern for pattern, _ in _PARTS.values()))
_RULES: Final = "; ".join(f"the {part} must {words}" for part, (_, words) in _PARTS.items())
# The rule of the API server, with its message.
RULE: Final = (f"self.matches('^{_PATTERN}$')", f"must be {_FORM}; {_RULES}")


@dataclass(frozen=True, slots=True)
class TargetResource:
    """One Kubernetes object; ``namespace`` is empty when the object is cluster-scoped.

    Raises: ValueError where a part is not valid; the text names the part, its value and the fix.
    """

    namespace: str
    kind: str
    name: str

    def __post_init__(self) -> None:
        for part in fields(self):
            _check_part(part.name, getattr(self, part.name))

    def __str__(self) -> str:
        """The form in the API: ``namespace/kind/name`` or ``kind/name``."""
        return "/".join(part for part in (self.namespace, self.kind, self.name) if part)


def parse_target(text: str) -> TargetResource:
    """Read ``namespace/kind/name`` or ``kind/name``; casing is kept.

    Raises: ValueError naming the text and the form expected; handled where input is parsed.
    """
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"{text!r} is not a target; write {_FORM}")
    try:
        return TargetResource(parts[0] if len(parts) == 3 else "", *parts[-2:])
    except ValueError as error:
        raise ValueError(f"{text!r} is not a target; write {_FORM}: {error}") from error


def check_target(text: str) -> str:
    """Return the text if it is a target; raises as ``parse_target`` does."""
    parse_target(text)
    return text


def _check_part(part: str, said: str) -> None:
    if not said and part != "namespace":
        raise ValueError(f"a target needs a {part}")
    pattern, words = _PARTS[part]
    if said and not re.fullmatch(pattern, said):
        raise ValueError(f"the {part} of a target is {said!r}; it must {words}")

"""The inputs of a workflow, its target and its parameters: both arrive unchanged, or are refused.

The target is the text that names the object that a workflow changes and locks. The lock protects
that object only if the text stays the same on its way to a step. So a target has no character that
Tekton, the kubelet or a shell expands, and no part of it can be read as an option or as a parent
directory.

A parameter may have any text. Tekton replaces ``$(…)`` in a pipeline with a value, and then
searches the result for ``$(…)``. The kubelet does the same in the environment and the arguments of
a container, and reads ``$$`` as an escaped ``$``. No spelling protects a value from both. So a
value is refused if one of them would replace a part of it, or if it ends in ``$``, which would join
with the text that follows it in the workflow.
"""

import re
from dataclasses import dataclass, fields
from typing import Any, Final

TARGET_MAX: Final = 512
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
_TARGET: Final = "({}/)?{}/{}".format(*(pattern for pattern, _ in _PARTS.values()))
_RULES: Final = "; ".join(f"the {part} must {words}" for part, (_, words) in _PARTS.items())
# The rule of the API server, with its message.
TARGET_RULE: Final = (f"self.matches('^{_TARGET}$')", f"must be {_FORM}; {_RULES}")

RESERVED_PARAMETER: Final = "TARGET_RESOURCE"
_PARAMETER_NAME: Final = "[A-Z][A-Z0-9_]*"
_MOST: Final = 256
# In bytes of UTF-8, as everything after us counts: the kernel takes no variable above 128 KiB.
_VALUE_MAX: Final = 32 * 1024
_VALUES_MAX: Final = 256 * 1024
_EXPANDED: Final = (
    "Tekton or the kubelet would change it on its way to the workflow; write it without '$(' and "
    "'$$', and without '$' as its last character"
)
_NUL: Final = "no process can be given a NUL character; remove it"


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


def check_parameters(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters unchanged if they can be passed on.

    Raises: ValueError with the parameter, the problem and the fix; it never quotes a value.
    """
    for name, value in parameters.items():
        if problem := _problem_of_name(name) or _problem_of_value(name, value):
            raise ValueError(problem)
    if sum(map(_size, parameters.values())) > _VALUES_MAX:
        raise ValueError(f"all values together are longer than {_VALUES_MAX} bytes")
    return parameters


def _problem_of_name(name: str) -> str:
    if name == RESERVED_PARAMETER:
        return f"{name} is set by the operator; remove it from the parameters"
    if not re.fullmatch(_PARAMETER_NAME, name):
        return f"{name!r} is not UPPER_SNAKE_CASE; rename it, e.g. REPLICA_COUNT"
    return ""


def _problem_of_value(name: str, value: str) -> str:
    if _size(value) > _VALUE_MAX:
        return f"the value of {name} is longer than {_VALUE_MAX} bytes"
    if "\0" in value:
        return f"the value of {name}: {_NUL}"
    if "$(" in value or "$$" in value or value.endswith("$"):
        return f"the value of {name}: {_EXPANDED}"
    return ""


def _size(value: str) -> int:
    return len(value.encode(errors="surrogatepass"))


def parameters_schema(schema: dict[str, Any]) -> None:
    """Add to a schema the rules by which the API server checks parameters, with their messages."""
    schema["maxProperties"] = _MOST
    schema["additionalProperties"] = {
        "type": "string",
        "maxLength": _VALUE_MAX,
        "x-kubernetes-validations": [
            {
                "rule": "!self.contains('$(') && !self.contains('$$') && !self.endsWith('$')",
                "message": _EXPANDED,
            },
            {"rule": r"!self.contains('\u0000')", "message": _NUL},
            {
                "rule": f"size(bytes(self)) <= {_VALUE_MAX}",
                "message": f"must not be longer than {_VALUE_MAX} bytes",
            },
        ],
    }
    schema["x-kubernetes-validations"] = [
        {
            "rule": f"self.all(key, key.matches('^{_PARAMETER_NAME}$'))",
            "message": "parameter names must be UPPER_SNAKE_CASE, e.g. REPLICA_COUNT",
        },
        {
            "rule": f"self.map(key, size(bytes(self[key]))).sum() <= {_VALUES_MAX}",
            "message": f"all values together must not be longer than {_VALUES_MAX} bytes",
        },
        {
            "rule": f"!('{RESERVED_PARAMETER}' in self)",
            "message": f"{RESERVED_PARAMETER} is set by the operator; remove it",
        },
    ]

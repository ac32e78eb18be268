"""Parameters of a workflow: a value arrives unchanged, or is refused with a message.

Tekton replaces ``$(…)`` in a pipeline with a value, and then searches the result for ``$(…)``. The
kubelet does the same in the environment and the arguments of a container, and reads ``$$`` as an
escaped ``$``. No spelling protects a value from both. So a value is refused if one of them would
replace a part of it, or if it ends in ``$``, which would join with the text that follows it in the
workflow.
"""

import re
from typing import Any, Final

RESERVED_PARAMETER: Final = "TARGET_RESOURCE"
_NAME: Final = "[A-Z][A-Z0-9_]*"
_MOST: Final = 256
# In bytes of UTF-8, as everything after us counts: the kernel takes no variable above 128 KiB.
_VALUE_MAX: Final = 32 * 1024
_VALUES_MAX: Final = 256 * 1024
_EXPANDED: Final = (
    "Tekton or the kubelet would change it on its way to the workflow; write it without '$(' and "
    "'$$', and without '$' as its last character"
)
_NUL: Final = "no process can be given a NUL character; remove it"


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
    if not re.fullmatch(_NAME, name):
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
            "rule": f"self.all(key, key.matches('^{_NAME}$'))",
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

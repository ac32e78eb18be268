"""Checks of tasks and steps: references and inserted values must not change what runs.

A digest pins only the bundle: a task that Tekton fetches from a branch, a hub or the cluster may
differ from the one that was reviewed.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from workflowexecution.bundles.folder import Object

_PINNED: Final = re.compile(r".+@sha256:[0-9a-f]{64}")
_INSTEAD: Final = {
    "taskRef": "write a taskSpec",
    "pipelineRef": "write its tasks into the Pipeline",
    "ref": "write the step out",
}
# Parameters and results: Tekton inserts them before a step runs, and other people choose them.
_OF_OTHERS: Final = re.compile(
    r"\$\((?:(?:inputs\.)?params[.\[]|tasks[.\[]|steps[.\[][^()]*\.results[.\[])"
)
# Together with a value that begins with "(" this is a reference, which Tekton replaces.
_JOINED: Final = re.compile(r"\$" + _OF_OTHERS.pattern + r"[^()]*\)?")


def unpinned(owner: Object) -> Iterator[str]:
    """Problems of the references in a task of a Pipeline or in a step."""
    for field, instead in _INSTEAD.items():
        if field in owner:
            yield from _unpinned(field, owner[field] or {}, instead)


def _unpinned(field: str, reference: Object, instead: str) -> Iterator[str]:
    resolver = reference.get("resolver")
    if not resolver:
        yield f"{field}: looks in the cluster, not in the bundle; {instead}"
        return
    if resolver != "bundles":
        yield f"{field}.resolver={resolver!r}: fetches what no digest pins; {instead}"
        return
    params = reference.get("params") or []
    named = [item.get("value") for item in params if item.get("name") == "bundle"]
    for value in named or [None]:
        if not _PINNED.fullmatch(str(value)):
            fix = f"must be pinned, as name@sha256:…; or {instead}"
            yield f"{field}.params: bundle={value!r}: {fix}"


def joined(value: object) -> Iterator[str]:
    """All references to parameters or results that directly follow a literal ``$``."""
    if isinstance(value, str):
        yield from (found[0] for found in _JOINED.finditer(value))
    elif isinstance(value, list):
        for item in value:
            yield from joined(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from joined(item)


def content_problems(step: Object) -> Iterator[str]:
    """Problems of a step: its image, its code, and its security context."""
    image = step.get("image") or ""
    if not _PINNED.fullmatch(image):
        yield f"image={image!r}: must be pinned, as name@sha256:…"
    yield from _code_of_others(step)
    yield from _unconfined(step)


def _code_of_others(step: Object) -> Iterator[str]:
    """The fields of a step in which a parameter or result could be run as code."""
    if _OF_OTHERS.search(str(step.get("script") or "")):
        yield "script: a parameter or result in it would be run as code; hand it over in env"
    for field in ("command", "args"):
        if any(_OF_OTHERS.search(str(word)) for word in step.get(field) or []):
            yield (
                f"{field}: a parameter or result in it could be run as code, or be another option; "
                "hand it over in env"
            )


def _unconfined(step: Object) -> Iterator[str]:
    """The settings that a step lacks for the Pod Security level "restricted"."""
    given = step.get("securityContext") or {}
    wanted = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for field, value in wanted.items():
        if given.get(field) != value:
            yield f"securityContext.{field}={given.get(field)!r}: must be {json.dumps(value)}"

"""The rules for a bundle: Tekton's limits, and the conventions of tekton/README.md.

Each check takes a bundle and yields its problems; no check reads files or sends requests.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from jsonschema import Draft202012Validator, SchemaError

from workflowexecution.api.inputs import RESERVED_PARAMETER
from workflowexecution.bundles.content import content_problems, joined, unpinned
from workflowexecution.bundles.folder import (
    BUNDLE_NAME,
    PARAMETERS,
    README,
    ROLE,
    Bundle,
    Object,
    containers_of,
    key_of,
)

MAXIMUM_OBJECTS: Final = 20
"""Limit of Tekton's resolver for the layers of a bundle."""
# Bytes: the status of a ResolutionRequest has the object in base64, and etcd limits its size.
_LARGEST_OBJECT: Final = 700_000
# Bytes: Linux's limit of one argument of a program, without its final NUL.
_LARGEST_ARGUMENT: Final = 128 * 1024 - 1
# Bytes that Tekton adds, at most: before a script without "#!", and for the commands around each.
_PREAMBLE: Final = 20
_AROUND_SCRIPT: Final = 210
_KINDS: Final = ("Pipeline", "Task", "StepAction")
_PARAMETER_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a bundle: its place, the field with its value, and how to correct it."""

    bundle: str
    where: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.bundle}: {self.where}: {self.message}"


Found = Iterator[tuple[str, str]]


def lint(bundle: Bundle) -> list[Problem]:
    """Find all problems of a bundle; it can be pushed if there is none."""
    return [
        Problem(bundle.name, where, message)
        for check in _CHECKS
        for where, message in check(bundle)
    ]


def _name(bundle: Bundle) -> Found:
    if not BUNDLE_NAME.fullmatch(bundle.name):
        yield "folder", f"name {bundle.name!r} must be lower case letters, digits and dashes"


def _objects(bundle: Bundle) -> Found:
    """Tekton's limits on objects: number, kinds, unique names, size."""
    count = len(bundle.objects)
    if count > MAXIMUM_OBJECTS:
        yield "objects", f"{count} of them; Tekton takes {MAXIMUM_OBJECTS}: split the bundle"
    keys = [key_of(item) for item in bundle.objects]
    for kind, name in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"{kind} {name}", "is there twice; remove or rename one"
    for item, (kind, name) in zip(bundle.objects, keys, strict=True):
        where = f"{kind or 'object'} {name or 'without name'}"
        if not str(item.get("apiVersion", "")).startswith("tekton.dev/") or kind not in _KINDS:
            wanted = ", ".join(_KINDS)
            yield where, f"apiVersion={item.get('apiVersion')!r}: must be one of Tekton's {wanted}"
        if not name:
            yield where, "metadata.name: missing; Tekton finds an object by it"
        if (size := len(json.dumps(item))) > _LARGEST_OBJECT:
            yield where, f"has {size} bytes; the resolver can hand on {_LARGEST_OBJECT}"


def _joins(bundle: Bundle) -> Found:
    """An inserted value must not become a reference because of a ``$`` before it."""
    for item in bundle.objects:
        kind, name = key_of(item)
        for text in joined(item):
            message = f"{text!r}: a value that begins with '(' would make a reference of it"
            yield f"{kind} {name}", f"{message}; write no '$' directly before it"


def _pipeline(bundle: Bundle) -> Found:
    pipelines = [name for kind, name in map(key_of, bundle.objects) if kind == "Pipeline"]
    if pipelines != ["workflow"]:
        yield "objects", f"Pipelines {pipelines}: must be exactly one, named workflow"
    for where, task in _tasks(bundle):
        yield from ((where, message) for message in unpinned(task))


def _parameters(bundle: Bundle) -> Found:
    declared = _declared(bundle)
    if RESERVED_PARAMETER not in declared:
        yield "Pipeline workflow", f"params: {RESERVED_PARAMETER} must be declared"
    for name in declared:
        if not _PARAMETER_NAME.fullmatch(name):
            yield "Pipeline workflow", f"params: name={name!r}: must be UPPER_SNAKE_CASE"
    if bundle.parameters is None:
        yield PARAMETERS, "missing; write the JSON Schema of the parameters"
        return
    try:
        Draft202012Validator.check_schema(bundle.parameters)
    except SchemaError as error:
        yield PARAMETERS, f"no valid JSON Schema: {error.message}"
        return
    yield from _schema_differs(bundle.parameters, declared)


def _schema_differs(schema: Object, declared: dict[str, Object]) -> Found:
    """The schema and the Pipeline must name the same parameters and defaults."""
    described = schema.get("properties") or {}
    required = schema.get("required") or []
    ours = {name: spec for name, spec in declared.items() if name != RESERVED_PARAMETER}
    for name in sorted(ours.keys() ^ described.keys()):
        yield PARAMETERS, f"{name}: must be both here and in the Pipeline's params"
    if schema.get("additionalProperties") is not False:
        yield PARAMETERS, "additionalProperties: must be false, or a misspelt name is taken"
    for name in sorted(ours.keys() & described.keys()):
        default = ours[name].get("default")
        if (default is None) != (name in required):
            yield PARAMETERS, f"{name}: is required exactly where the Pipeline has no default"
        if described[name].get("default") != default:
            yield PARAMETERS, f"{name}: default must be the Pipeline's {default!r}"
        if default is not None and not Draft202012Validator(described[name]).is_valid(default):
            yield PARAMETERS, f"{name}: the default {default!r} does not satisfy its own schema"


def _steps(bundle: Bundle) -> Found:
    for where, step in _all_steps(bundle):
        if not step.get("name"):
            yield where, "name: missing; a report of a failure names its step"
        content = unpinned(step) if "ref" in step else content_problems(step)
        yield from ((where, message) for message in content)
        resources = step.get("computeResources") or {}
        for field in ("requests", "limits"):
            if "memory" not in (resources.get(field) or {}):
                yield where, f"computeResources.{field}.memory: missing; quotas refuse such a pod"


def _scripts(bundle: Bundle) -> Found:
    """Tekton passes all scripts of a task to one container, as one argument in base64."""
    for where, spec in _task_specs(bundle):
        if (size := _size_of_argument(spec)) > _LARGEST_ARGUMENT:
            message = (
                f"scripts: the argument in which Tekton hands them on has {size} bytes; Linux "
                f"takes {_LARGEST_ARGUMENT}, about 96 KiB of script"
            )
            yield where, f"{message}; make them smaller, or put them into an image"


def _size_of_argument(spec: Object) -> int:
    containers = [*(spec.get("steps") or []), *(spec.get("sidecars") or [])]
    scripts = [str(one["script"]).encode() for one in containers if one.get("script")]
    return sum((len(one) + _PREAMBLE + 2) // 3 * 4 + _AROUND_SCRIPT for one in scripts)


def _step_actions(bundle: Bundle) -> Found:
    """The content of a StepAction, which steps in other places use."""
    for item in bundle.objects:
        kind, name = key_of(item)
        if kind == "StepAction":
            yield from (
                (f"{kind} {name}", message) for message in content_problems(item.get("spec") or {})
            )


def _files(bundle: Bundle) -> Found:
    if not bundle.has_readme:
        yield README, "missing; say what it does, changes and needs, and what its exit codes mean"
    if not bundle.role:
        yield ROLE, "missing; write a ClusterRole with exactly the rights that the steps need"
    for item in bundle.role:
        kind, name = key_of(item)
        if (kind, name) != ("ClusterRole", role_name(bundle.name)):
            yield ROLE, f"{kind} {name}: must be ClusterRole {role_name(bundle.name)}"
        rules = item.get("rules") or []
        parts = [part for rule in rules for values in rule.values() for part in values]
        if "*" in parts:
            yield ROLE, "rules: '*' gives rights that nobody has looked at; name each"


def role_name(bundle: str) -> str:
    """The name of the ClusterRole of a bundle."""
    return f"kubernaut-{bundle}"


def _declared(bundle: Bundle) -> dict[str, Object]:
    spec = (bundle.pipeline or {}).get("spec") or {}
    return {str(item.get("name")): item for item in spec.get("params") or []}


def _tasks(bundle: Bundle) -> Iterator[tuple[str, Object]]:
    yield from _tasks_of((bundle.pipeline or {}).get("spec") or {}, "")


def _tasks_of(spec: Object, within: str) -> Iterator[tuple[str, Object]]:
    """The tasks of a Pipeline, and of the Pipelines inlined in it."""
    for task in [*(spec.get("tasks") or []), *(spec.get("finally") or [])]:
        where = f"{within}task {task.get('name')}"
        yield where, task
        yield from _tasks_of(task.get("pipelineSpec") or {}, f"{where}, ")


def _task_specs(bundle: Bundle) -> Iterator[tuple[str, Object]]:
    """All task specs: inline in the Pipeline, and of Task objects."""
    for where, task in _tasks(bundle):
        yield where, task.get("taskSpec") or {}
    for item in bundle.objects:
        if item.get("kind") == "Task":
            yield f"Task {key_of(item)[1]}", item.get("spec") or {}


def _all_steps(bundle: Bundle) -> Iterator[tuple[str, Object]]:
    """All steps, merged with the step template of their task, and all sidecars, by place."""
    for where, spec in _task_specs(bundle):
        shared = spec.get("stepTemplate") or {}
        for number, step in enumerate(spec.get("steps") or [], 1):
            yield f"{where}, step {step.get('name') or number}", {**shared, **step}
        for sidecar in containers_of(spec.get("sidecars") or []):
            yield f"{where}, sidecar {sidecar.get('name')}", sidecar


_CHECKS: Final[tuple[Callable[[Bundle], Found], ...]] = (
    _name,
    _objects,
    _joins,
    _pipeline,
    _parameters,
    _steps,
    _scripts,
    _step_actions,
    _files,
)

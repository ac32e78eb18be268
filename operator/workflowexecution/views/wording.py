"""Texts that several commands and the page share: durations, missing rights, and other errors.

An error of the API server names the object and the namespace, and leaves out the request.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

from workflowexecution.api import identity
from workflowexecution.client.paths import TEKTON_NAMESPACE
from workflowexecution.core.text import command
from workflowexecution.kube import errors

_REFUSAL: Final = re.compile(
    r'cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_REFUSAL_OF_PATH: Final = re.compile(r'cannot (?P<verb>[a-z]+) path "(?P<path>[^"]+)"')
# Part of each cluster; it is bound to all users unless somebody has changed that.
_DISCOVERY: Final = "system:discovery"
_READING: Final = ("get", "list", "watch")
_WRITING: Final = ("create", "patch", "update", "delete")
# Shipped roles: the first by the resource that may be read, the second by verb and resource.
_READERS: Final = {
    "workflowexecutions": "workflowexecution-viewer",
    "workflowholds": "workflowexecution-viewer",
    "workflowclaims": "workflowexecution-viewer",
    "pipelineruns": "workflowexecution-run-reader",
    "taskruns": "workflowexecution-run-reader",
    "customruns": "workflowexecution-run-reader",
    "pods": "workflowexecution-run-reader",
    "events": "workflowexecution-run-reader",
    "configmaps": "workflowexecution-run-reader",
}
_DOCTOR: Final = "workflowexecution-doctor"
# Tekton gives it to all users, for the object that tells its version.
_OF_TEKTON: Final = "Tekton's Role tekton-pipelines-info gives it"
_FLAGS_OF_TEKTON: Final = re.compile(r'configmaps "(resolvers-)?feature-flags" is forbidden')
_DOERS: Final = {
    ("patch", "pipelineruns"): "workflowexecution-canceller",
    **{(verb, "workflowexecutions"): "workflowexecution-orchestrator" for verb in _WRITING},
    ("patch", "workflowexecutions"): "workflowexecution-clearer",
    **{(verb, "workflowholds"): "workflowexecution-holder" for verb in _WRITING},
}
_REQUEST: Final = re.compile(
    r"[A-Z]+ (?P<path>/\S*): (?:(?P<status>\d{3}) )?(?P<said>.*)", re.DOTALL
)
_PLACE: Final = re.compile(
    r"/apis?/.*?(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+))?(?:/log)?"
)
_WORDS: Final[Mapping[str, str]] = {
    identity.PLURAL: "execution",
    identity.HOLD_PLURAL: "hold",
    "pipelineruns": "PipelineRun",
    "taskruns": "TaskRun",
    "pods": "pod",
}


def short(value: timedelta | None) -> str:
    """A duration as kubectl shows ages: `45s`, `12m`, `3h5m`, `8d`; empty for None."""
    if value is None:
        return ""
    seconds = max(0, int(value.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 60:
        return f"{minutes}m{seconds % 60}s" if minutes < 10 and seconds % 60 else f"{minutes}m"
    if hours < 48:
        return f"{hours}h{minutes % 60}m" if hours < 8 and minutes % 60 else f"{hours}h"
    return f"{hours // 24}d"


def install(part: str) -> str:
    """The fix for a missing part of the operator; it needs no clone of the repository.

    Args:
        part: of a release, which has a file of this name with the ending `.yaml`.
    """
    apply = command("kubectl", "apply", "-f", f"{part}.yaml")
    return f"install {part}.yaml of the operator's release: {apply}"


def missing_right(message: str) -> str:
    """Name the missing right and the shipped role that gives it; else return the message.

    Args:
        message: of the API server's refusal.
    """
    if path := _REFUSAL_OF_PATH.search(message):
        fix = f"the ClusterRole {_DISCOVERY} gives it"
        return f"the right to {path['verb']} {path['path']} is missing; {fix}"
    found = _REFUSAL.search(message)
    if found is None:
        return message
    right = (found["verb"], found["resource"], found["group"], found["namespace"] or "")
    if _FLAGS_OF_TEKTON.search(message):
        return f"{_missing(*right)}; the ClusterRole {_DOCTOR} gives it"
    return lacking(*right)


def lacking(verb: str, resource: str, group: str, namespace: str) -> str:
    """A sentence that names a missing right and the shipped role that gives it.

    Args:
        verb: as in a role.
        resource: plural, with its subresource if there is one.
        group: of its API; empty for the core group.
        namespace: empty for all.
    """
    missing = _missing(verb, resource, group, namespace)
    if (resource, namespace) == ("configmaps", TEKTON_NAMESPACE):
        return f"{missing}; {_OF_TEKTON}"
    role = _role_for(verb, resource.partition("/")[0])
    return f"{missing}; the ClusterRole {role} gives it" if role else missing


def _missing(verb: str, resource: str, group: str, namespace: str) -> str:
    what = f"{resource}.{group}" if group else resource
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    return f"the right to {verb} {what} {where} is missing"


def _role_for(verb: str, resource: str) -> str:
    """The shipped role with this right; empty where none has it."""
    if verb in _READING:
        return _READERS.get(resource, _DOCTOR)
    return _DOERS.get((verb, resource), _DOCTOR if resource == "subjectaccessreviews" else "")


def in_words(error: errors.ApiError) -> str:
    """The message of an error for people: without the request, and with a missing right named.

    A role helps nobody who is not signed in, so none is named to them.
    """
    message = str(error)
    is_known_caller = not isinstance(error, errors.UnknownCallerError)
    if is_known_caller and (right := missing_right(message)) != message:
        return right
    asked = _REQUEST.fullmatch(message)
    if asked is None:
        return message
    said = asked["said"]
    if isinstance(error, errors.UnavailableError):
        return _not_answered(asked["status"] or "", said)
    problem = {errors.NotFoundError: "not found", errors.AlreadyExistsError: "exists already"}
    place = _PLACE.fullmatch(asked["path"])
    name = _name_in(said, place)
    if place is None or type(error) not in problem or not name:
        return said
    kind = _WORDS.get(place["resource"], place["resource"])
    where = f" in {unquote(place['namespace'])}" if place["namespace"] else ""
    return f'{kind} "{name}" {problem[type(error)]}{where}'


def _not_answered(status: str, said: str) -> str:
    """The words for a request without a definite answer; ``status`` is empty where there is none.

    A 404 of the API server is another error, so this one is by a proxy in between.
    """
    if status == "404":
        return f"a proxy answers, and not the API server, with status 404: {said}"
    return f"the API server{f' answers with status {status}' if status else ''}: {said}"


def _name_in(said: str, place: re.Match[str] | None) -> str:
    """The name of the object that the answer is about; empty where it is about another one."""
    if place is None:
        return ""
    found = re.match(rf'{re.escape(place["resource"])}[\w.-]* "(?P<name>[^"]*)" ', said)
    return found["name"] if found else ""

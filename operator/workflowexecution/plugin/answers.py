"""Errors of the API server in words: the object and the namespace, not the request."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from workflowexecution.api import identity
from workflowexecution.kube import errors
from workflowexecution.views.wording import missing_right

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
        status = f" with status {asked['status']}" if asked["status"] else ""
        return f"the API server answers{status}: {said}" if status else f"the API server: {said}"
    problem = {errors.NotFoundError: "not found", errors.AlreadyExistsError: "exists already"}
    place = _PLACE.fullmatch(asked["path"])
    name = _name_in(said, place)
    if place is None or type(error) not in problem or not name:
        return said
    kind = _WORDS.get(place["resource"], place["resource"])
    where = f" in {unquote(place['namespace'])}" if place["namespace"] else ""
    return f'{kind} "{name}" {problem[type(error)]}{where}'


def _name_in(said: str, place: re.Match[str] | None) -> str:
    """The name of the object that the answer is about; empty where it is about another one."""
    if place is None:
        return ""
    found = re.match(rf'{re.escape(place["resource"])}[\w.-]* "(?P<name>[^"]*)" ', said)
    return found["name"] if found else ""

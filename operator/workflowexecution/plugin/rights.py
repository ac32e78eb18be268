"""What the API server refuses for want of a right, told by the right's name and who gives it."""

import re
from typing import Final

_REFUSAL: Final = re.compile(
    r'cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
# Roles that are shipped, by what they let people read or write.
_READERS: Final = {"workflowexecutions": "workflowexecution-viewer"}
_RUN_READER: Final = "workflowexecution-run-reader"
_WRITER: Final = "workflowexecution-orchestrator"
_READING: Final = ("get", "list", "watch")


def missing_right(message: str) -> str:
    """Say which right is missing and which shipped role gives it; the message as it is, else.

    Args:
        message: of the API server's refusal.
    """
    found = _REFUSAL.search(message)
    if found is None:
        return message
    verb, resource, namespace = found["verb"], found["resource"], found["namespace"]
    what = f"{resource}.{found['group']}" if found["group"] else resource
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    role = _role_for(verb, resource.partition("/")[0])
    fix = f"; the ClusterRole {role} gives it" if role else ""
    return f"the right to {verb} {what} {where} is missing{fix}"


def _role_for(verb: str, resource: str) -> str:
    """The shipped role with this right; empty where none gives it."""
    if verb in _READING:
        return _READERS.get(resource, _RUN_READER)
    return _WRITER if resource == "workflowexecutions" else ""

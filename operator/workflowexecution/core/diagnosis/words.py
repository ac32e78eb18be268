"""Causes that Tekton, registries and the API server tell in words only.

Tekton gives one reason for a bundle that is not there, for a registry that does not answer and for
one that wants credentials; the API server answers a policy, a quota and a wrong object alike. The
forms searched here are those of go-containerregistry, of Tekton 1.0 to 1.15 and of Kubernetes.
"""

import re
from typing import Final, NamedTuple

from workflowexecution.api.status import FailureReason
from workflowexecution.core.diagnosis.explanations import Cause


class Class(NamedTuple):
    """What a failure is classed as; ``cause`` where that reason has causes with other advice."""

    reason: FailureReason
    cause: Cause | None = None


# What Tekton puts before the words of others, where it fetches a bundle and where it asks for that.
_FROM_REGISTRY: Final = "cannot retrieve the oci image: "
_FROM_RESOLVER: Final = re.compile(r'error requesting remote resource: |error getting "')
_REFUSED: Final = re.compile(r": (?:UNAUTHORIZED|DENIED)\b|unexpected status code 40[13]\b")
# Statuses that can pass by themselves, and those of credentials, are not among them.
_MISTAKEN: Final = re.compile(
    r": (?:BLOB|DIGEST|MANIFEST|MANIFEST_BLOB|NAME|SIZE|TAG)_(?:INVALID|UNKNOWN|UNVERIFIED)\b"
    r"|: UNSUPPORTED\b"
    r"|unexpected status code 4(?!0[1378]|25|29)\d\d"
    r"|unparseable image reference|unsupported MediaType|no child with platform"
    r"|does not match requested digest"
)
_PASSING: Final = re.compile(
    r"resolution took longer than|context deadline exceeded|i/o timeout|TLS handshake timeout"
    r"|dial tcp|connection re(?:fused|set)|\bEOF\b|failed calling webhook|etcdserver: "
    r"|Internal error occurred|currently unable to handle the request"
)
_QUOTA: Final = re.compile(r"is forbidden: (?:exceeded quota|status unknown for quota): ")
_QUOTA_NOT_COUNTED: Final = re.compile(r"is forbidden: status unknown for quota: ")
_RESULTS: Final = re.compile(r"invalid pipelineresults \[([^\]]+)\]")
# What a volume is of, in the words of the node and of the scheduler.
_NOT_THERE: Final = re.compile(
    r'Mount.*\b(?:secret|configmap)s? "[^"]*" not found|persistentvolumeclaim "[^"]*" not found'
    r"|references non-existent (?:config|secret) key"
)
# Tekton's own webhook checks objects: what it refuses is a mistake in the object, no policy.
_POLICY: Final = re.compile(
    r"(?:Validating|Mutating)AdmissionPolicy '.*' with binding '.*' denied request"
    r'|admission webhook "(?![^"]*\.pipeline\.tekton\.dev")[^"]*" denied the request',
    re.DOTALL,
)


def class_of_fetch(message: str) -> Class | None:
    """Class of a bundle that could not be fetched; None where the request is the mistake."""
    _, is_of_registry, said = message.partition(_FROM_REGISTRY)
    if is_of_registry:
        return _class_of_answer(said)
    if _FROM_RESOLVER.search(message) and _PASSING.search(message):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.RESOLVER_SILENT)
    return class_of_refusal(message)


def _class_of_answer(said: str) -> Class | None:
    """Class of what a registry, or the way to it, has answered: a mistake only where it says so."""
    if _REFUSED.search(said):
        return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.REGISTRY_REFUSES)
    if _MISTAKEN.search(said):
        return None
    return Class(FailureReason.IMAGE_PULL_BACK_OFF, Cause.REGISTRY_SILENT)


def class_of_refusal(message: str) -> Class | None:
    """Class of an object that the API server did not take; None where neither quota nor policy."""
    if _QUOTA.search(message):
        return Class(FailureReason.RESOURCE_EXHAUSTED)
    if _POLICY.search(message):
        return Class(FailureReason.FORBIDDEN, Cause.POLICY_REFUSES)
    return None


def results_missing(message: str) -> str:
    """Which results of the pipeline nobody wrote, ready to stand before Tekton's own words."""
    found = _RESULTS.search(message)
    named = ", ".join(map(repr, dict.fromkeys(found[1].split()))) if found else "one it names"
    return f"all tasks ended well, but the workflow did not write its result {named}: "


def class_of_wait(message: str) -> Class | None:
    """Class of what a run waited for in vain; None where the words tell only that it waited."""
    if _NOT_THERE.search(message):
        return Class(FailureReason.CONFIGURATION_ERROR)
    return class_of_refusal(message)


def is_passing(message: str) -> bool:
    """Whether a 403 will go by itself: a quota that is new has to be counted first."""
    return bool(_QUOTA_NOT_COUNTED.search(message))

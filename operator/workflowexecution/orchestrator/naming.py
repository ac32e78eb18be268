"""Names: of executions, after the request they are made for, and of targets."""

import hashlib
import re
from typing import Final

from workflowexecution.api import target

ATTEMPTS_MAX: Final = 999
_NAME_MAX: Final = 253
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# With a digest of 10 digits and "-999" behind it a name has at most 63 characters, as many as a
# label value may have. Those of requests with long names are all longer than any plain name.
_READABLE_MAX: Final = 48
_PLAIN_MAX: Final = 60


def build_target_resource(namespace: str, kind: str, name: str) -> str:
    """Name a target: ``namespace/kind/name``, or ``kind/name`` where the namespace is empty.

    Casing is kept and matters: all orchestrators must write a kind in one way, as ``Deployment``.

    Raises: ValueError naming the part that cannot be used.
    """
    return str(target.TargetResource(namespace=namespace, kind=kind, name=name))


def execution_name(request_name: str, attempt: int = 1) -> str:
    """Name of a request's execution; the same request and attempt always give the same.

    ``we-`` and the request's name; where that is long, and for later attempts, shortened, with a
    digest of the request's name and the attempt behind it. At most 63 characters.

    Args:
        request_name: any name that an object can have.
        attempt: 1 to 999.
    Raises: ValueError naming what was given instead.
    """
    if len(request_name) > _NAME_MAX or not _NAME.fullmatch(request_name):
        raise ValueError(f"{request_name!r} is not the name of an object")
    if not 1 <= attempt <= ATTEMPTS_MAX:
        raise ValueError(f"attempt {attempt} is not one of 1 to {ATTEMPTS_MAX}")
    plain = f"we-{request_name}"
    if attempt == 1 and len(plain) <= _PLAIN_MAX:
        return plain
    digest = hashlib.sha256(request_name.encode()).hexdigest()[:10]
    return f"{plain[:_READABLE_MAX].replace('.', '-')}-{digest}-{attempt}"


def is_attempt_at(request_name: str, name: str) -> bool:
    """Whether this is the name of one of a request's own executions, of whatever attempt."""
    number = name.rpartition("-")[2]
    attempt = int(number) if re.fullmatch(r"[1-9][0-9]{0,2}", number) else 1
    try:
        return name in (execution_name(request_name), execution_name(request_name, attempt))
    except ValueError:
        return False

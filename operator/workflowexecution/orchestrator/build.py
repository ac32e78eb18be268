"""Builds executions: their names and whole objects, validated before they are sent."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from workflowexecution.api import identity, reading
from workflowexecution.api.fields import problem_of_field
from workflowexecution.api.inputs import TargetResource
from workflowexecution.api.spec import WorkflowExecutionSpec

ATTEMPTS_MAX: Final = 999
_NAME_MAX: Final = 253
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# A name with a digest of 10 digits and "-999" at its end has at most 63 characters, the limit of a
# label value. A shortened name is always longer than a plain name, so the two never collide.
_READABLE_MAX: Final = 48
_PLAIN_MAX: Final = 60


def build_target_resource(namespace: str, kind: str, name: str) -> str:
    """The name of a target: ``namespace/kind/name``; ``kind/name`` where the namespace is empty.

    Write a kind as the cluster does, as ``Deployment``: ``check_against`` compares it with the
    kinds that a cluster serves. The lock ignores the case of a kind, and nothing else.

    Raises: ValueError that names the part that is not valid.
    """
    return str(TargetResource(namespace=namespace, kind=kind, name=name))


def execution_name(request_name: str, attempt: int = 1) -> str:
    """The name of a request's execution; always the same for the same request and attempt.

    It is ``we-`` and the request's name. For long names and later attempts it is shortened, and
    ends with a digest of the request's name and the attempt. It has at most 63 characters.

    Args:
        request_name: any name that an object can have.
        attempt: 1 to 999.
    Raises: ValueError that names the value that is not valid.
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
    """Whether ``name`` is that of an execution of this request, of any attempt."""
    number = name.rpartition("-")[2]
    attempt = int(number) if re.fullmatch(r"[1-9][0-9]{0,2}", number) else 1
    try:
        return name in (execution_name(request_name), execution_name(request_name, attempt))
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request that an execution is created for, and its owner; all fields are required."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A workflow that was selected for a request, with the confidence of the selection.

    container_digest: ``sha256:`` and 64 hex digits; only this bundle is run.
    parameters: of the pipeline, by UPPER_SNAKE_CASE name; the operator adds TARGET_RESOURCE.
    confidence: 0 to 1; like ``rationale`` only for audits.
    """

    workflow_id: str
    version: str
    container_image: str
    container_digest: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    confidence: float | None = None
    rationale: str | None = None


def parse_request(raw: Mapping[str, Any]) -> Request:
    """Read the identity of a request object from the API server.

    Raises: ValueError that names what is missing, e.g. the UID of an object not created yet.
    """
    meta = reading.mapping(raw, "metadata")
    found = {
        "apiVersion": reading.text(raw, "apiVersion"),
        "kind": reading.text(raw, "kind"),
        "metadata.namespace": reading.text(meta, "namespace"),
        "metadata.name": reading.text(meta, "name"),
        "metadata.uid": reading.text(meta, "uid"),
    }
    missing = [name for name, said in found.items() if not said]
    if missing:
        raise ValueError(
            f"a request needs {', '.join(missing)}; give it as the API server holds it"
        )
    api_version, kind, namespace, name, uid = found.values()
    return Request(api_version=api_version, kind=kind, namespace=namespace, name=name, uid=uid)


def build_execution(
    request: Request,
    workflow: Workflow,
    target_resource: str,
    *,
    timeout: timedelta | None = None,
    service_account_name: str | None = None,
    attempt: int = 1,
) -> dict[str, Any]:
    """Build the WorkflowExecution that runs a workflow for a request, ready to be created.

    It is in the request's namespace and owned by the request, so it is deleted with the request.
    A second create fails with AlreadyExists; then see ``is_for_request``.

    Args:
        request: the owner.
        workflow: what to run.
        target_resource: as ``build_target_resource`` returns it.
        timeout: longer than zero; None for the API's default of 30 minutes.
        service_account_name: of the run, in the execution namespace; None for the default.
        attempt: 1 to 999; a retry of a request takes the next number.
    Raises: ValueError that names each field that the API server would refuse, and why.
    """
    config = {
        "timeout": None if timeout is None else reading.format_duration(timeout),
        "serviceAccountName": service_account_name,
    }
    reference = {
        "apiVersion": request.api_version,
        "kind": request.kind,
        "name": request.name,
        "uid": request.uid,
    }
    return {
        "apiVersion": identity.API_VERSION,
        "kind": identity.KIND,
        "metadata": {
            "name": execution_name(request.name, attempt),
            "namespace": request.namespace,
            # Without blockOwnerDeletion, which takes the right to update the owner's finalizers.
            "ownerReferences": [{**reference, "controller": True}],
        },
        "spec": _checked(
            {
                "remediationRequestRef": {**reference, "namespace": request.namespace},
                "workflowRef": _present(
                    {
                        "workflowId": workflow.workflow_id,
                        "version": workflow.version,
                        "containerImage": workflow.container_image,
                        "containerDigest": workflow.container_digest,
                    }
                ),
                "targetResource": target_resource,
                "parameters": dict(workflow.parameters) or None,
                "confidence": workflow.confidence,
                "rationale": workflow.rationale,
                "executionConfig": _present(config) or None,
            }
        ),
    }


def is_for_request(execution: Mapping[str, Any], request: Request) -> bool:
    """Whether an execution belongs to this request, and not to a deleted one of the same name.

    If it does where a create fails with AlreadyExists, an earlier create succeeded.
    """
    owners = reading.mappings(execution, "metadata", "ownerReferences")
    return any(reading.text(owner, "uid") == request.uid for owner in owners)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The spec without missing fields. Raises: ValueError where it is not valid."""
    spec = _present(fields)
    try:
        WorkflowExecutionSpec.model_validate(spec)
    except ValidationError as error:
        raise ValueError("; ".join(problem_of_field(item) for item in error.errors())) from error
    return spec


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in fields.items() if said is not None}

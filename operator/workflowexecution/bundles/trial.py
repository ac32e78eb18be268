"""The objects with which a bundle is tried on a cluster, without an operator and a registry.

The run is the one that the operator would make, with the Pipeline written into it instead of a
bundle's reference. It has an account of its own, with the rights of ``role.yaml`` where its target
is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jsonschema import Draft202012Validator

from workflowexecution.api import identity
from workflowexecution.api.inputs import parse_target
from workflowexecution.api.spec import WorkflowExecutionSpec, parse_spec
from workflowexecution.bundles.folder import Bundle, Object
from workflowexecution.client.paths import runs_path
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.pipelinerun import RunTemplate, build_run
from workflowexecution.settings import Settings

LABEL: Final = "kubernaut.ai/tried-bundle"
_RBAC: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A bundle, and how to try it.

    target, parameters, timeout: as of an execution.
    namespace: of the run.
    name: of the run, its account and the rights of that.
    service_account: of the run; empty for one of its own.
    """

    bundle: Bundle
    target: str
    parameters: Mapping[str, str]
    namespace: str
    name: str
    service_account: str = ""
    timeout: str = identity.DEFAULT_TIMEOUT


def check_parameters(bundle: Bundle, parameters: Mapping[str, str]) -> None:
    """Check parameters by the bundle's own schema. Raises: ValueError."""
    schema = bundle.parameters or {}
    known = schema.get("properties") or {}
    has = ", ".join(known) or "none"
    problems = [
        f"-p {name}: the bundle has no such parameter; it has: {has}"
        for name in sorted(parameters.keys() - known.keys())
    ]
    given = {name: value for name, value in parameters.items() if name in known}
    for found in Draft202012Validator(schema).iter_errors(given):
        where = "".join(f"-p {name}: " for name in found.path)
        problems.append(f"{where}{found.message}")
    if problems:
        raise ValueError("\n".join(problems))


def execution_of(order: Order, now: datetime) -> tuple[Execution, WorkflowExecutionSpec]:
    """The execution for which the operator would make this run.

    Args:
        order: to carry out.
        now: aware UTC.
    Raises: ValueError where the target, a parameter or the time limit is not valid.
    """
    config = {
        "timeout": order.timeout,
        "serviceAccountName": order.service_account or order.name,
    }
    raw: dict[str, Any] = {
        "metadata": {
            "name": order.name,
            "namespace": order.namespace,
            "uid": "",
            "resourceVersion": "",
            "creationTimestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        },
        "spec": {
            "remediationRequestRef": {"name": order.name},
            "workflowRef": {
                "workflowId": order.bundle.name,
                "version": "0",
                "containerImage": f"folder/{order.bundle.name}:0",
            },
            "targetResource": order.target,
            "parameters": dict(order.parameters),
            "executionConfig": config,
        },
    }
    spec, problem = parse_spec(raw)
    if spec is None:
        raise ValueError(problem)
    return parse_execution(raw), spec


def objects_of(
    order: Order, execution: Execution, spec: WorkflowExecutionSpec
) -> Iterator[tuple[str, Object]]:
    """The path of each object to create and the object, in this order; the run is the last one."""
    if not order.service_account:
        yield from _account(order)
    yield runs_path(order.namespace), _run(order, execution, spec)


def _account(order: Order) -> Iterator[tuple[str, Object]]:
    """A ServiceAccount, and the rights of the bundle where its target is."""
    accounts = f"/api/v1/namespaces/{order.namespace}/serviceaccounts"
    yield accounts, _object(order, "v1", "ServiceAccount", order.namespace)
    rules = [rule for role in order.bundle.role for rule in role.get("rules") or []]
    if not rules:
        return
    where = parse_target(order.target).namespace
    kind = "Role" if where else "ClusterRole"
    path = f"/apis/{_RBAC}/v1/namespaces/{where}" if where else f"/apis/{_RBAC}/v1"
    role = _object(order, f"{_RBAC}/v1", kind, where)
    yield f"{path}/{kind.lower()}s", {**role, "rules": rules}
    binding = _object(order, f"{_RBAC}/v1", f"{kind}Binding", where)
    subject = {"kind": "ServiceAccount", "name": order.name, "namespace": order.namespace}
    yield (
        f"{path}/{kind.lower()}bindings",
        {
            **binding,
            "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": order.name},
            "subjects": [subject],
        },
    )


def _run(order: Order, execution: Execution, spec: WorkflowExecutionSpec) -> Object:
    """The run, without the keys by which an operator would take it for one of its own."""
    settings = Settings()
    template = RunTemplate(
        namespace=order.namespace,
        allowed_service_accounts=frozenset(),
        security_context=settings.run_security_context,
        pod=settings.pod,
        finally_timeout=settings.finally_timeout,
    )
    made = build_run(execution, spec, order.name, template)
    run = _object(order, made["apiVersion"], made["kind"], order.namespace)
    pipeline = (order.bundle.pipeline or {}).get("spec")
    kept = {key: value for key, value in made["spec"].items() if key != "pipelineRef"}
    return {**run, "spec": {**kept, "pipelineSpec": pipeline}}


def _object(order: Order, api_version: str, kind: str, namespace: str) -> Object:
    meta: Object = {"name": order.name, "labels": {LABEL: order.bundle.name}}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": meta}

"""Webhooks that can refuse what is created here, because nobody answers for them."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.finding import Finding, error, ok
from workflowexecution.plugin.doctor.place import Place
from workflowexecution.plugin.session import Session

_CONFIGURATIONS: Final = (
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
)
_REGISTRATION: Final = "/apis/admissionregistration.k8s.io/v1"
# What the operator and Tekton create for an execution.
_CONCERNED: Final = (
    ("tekton.dev", "pipelineruns"),
    ("tekton.dev", "taskruns"),
    (identity.GROUP, identity.PLURAL),
    ("", "pods"),
)


async def check_webhooks(session: Session, _: Place) -> list[Finding]:
    """Every webhook that runs depend on has somebody who answers."""
    webhooks = [
        (reading.text(item["metadata"], "name"), webhook)
        for kind in _CONFIGURATIONS
        async for item in session.client.list_pages(f"{_REGISTRATION}/{kind}")
        for webhook in reading.mappings(item, "webhooks")
        if is_concerned(webhook)
    ]
    found = [await _problem(session, name, webhook) for name, webhook in webhooks]
    problems = list(filter(None, found))
    return problems or [ok("webhooks", f"{len(webhooks)} that matter, all answered for")]


def is_concerned(webhook: Raw) -> bool:
    """Whether runs cannot be created while this webhook does not answer."""
    if webhook.get("failurePolicy") == "Ignore":
        return False
    return any(
        _covers(rule, group, resource)
        for rule in reading.mappings(webhook, "rules")
        for group, resource in _CONCERNED
    )


def _covers(rule: Raw, group: str, resource: str) -> bool:
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    return ("*" in groups or group in groups) and (
        "*" in resources or "*/*" in resources or resource in resources
    )


async def _problem(session: Session, name: str, webhook: Raw) -> Finding | None:
    told = f"{reading.text(webhook, 'name')} of {name}"
    config = reading.mapping(webhook, "clientConfig")
    service = reading.mapping(config, "service")
    if service and not reading.text(config, "caBundle"):
        fix = "see the logs of the webhook's own pods: they fill it in"
        return error("webhooks", f"{told} has no caBundle, so its answers are not trusted", fix)
    if not service or await _has_endpoints(session, service):
        return None
    where = f"{reading.text(service, 'namespace')}/{reading.text(service, 'name')}"
    detail = f"{told}: nobody answers at Service {where}, so what it checks is refused"
    return error("webhooks", detail, f"kubectl get pods -n {reading.text(service, 'namespace')}")


async def _has_endpoints(session: Session, service: Mapping[str, object]) -> bool:
    namespace = quote(reading.text(service, "namespace"), safe="")
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    query = {"labelSelector": f"kubernetes.io/service-name={reading.text(service, 'name')}"}
    try:
        slices = [item async for item in session.client.list_pages(path, query)]
    except errors.NotFoundError:
        return False
    return any(
        reading.mapping(endpoint, "conditions").get("ready") is not False
        for item in slices
        for endpoint in reading.mappings(item, "endpoints")
    )

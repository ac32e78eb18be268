"""Webhooks that can refuse what is created here, because nobody answers for them."""

from typing import Final
from urllib.parse import quote

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.finding import Finding, State, error, ok
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
_UNSEEN: Final = ok("webhooks", "answered for where doctor does not look")


async def check_webhooks(session: Session, _: Place) -> list[Finding]:
    """Every webhook that runs depend on has somebody who answers."""
    webhooks = [
        (reading.text(item["metadata"], "name"), webhook)
        for kind in _CONFIGURATIONS
        async for item in session.client.list_pages(f"{_REGISTRATION}/{kind}")
        for webhook in reading.mappings(item, "webhooks")
        if is_concerned(webhook)
    ]
    found = [await _look_at(session, name, webhook) for name, webhook in webhooks]
    problems = [item for item in found if item and item.state is State.ERROR]
    return problems or [_all_well(len(found), found.count(_UNSEEN))]


def _all_well(count: int, unseen: int) -> Finding:
    told = f"{count} that matter, all answered for"
    limit = f", as far as is known: {unseen} at a URL or an ExternalName, not looked at"
    return ok("webhooks", f"{told}{limit if unseen else ''}")


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


async def _look_at(session: Session, name: str, webhook: Raw) -> Finding | None:
    """What is wrong with a webhook, or that it cannot be seen; None where somebody answers."""
    told = f"{reading.text(webhook, 'name')} of {name}"
    config = reading.mapping(webhook, "clientConfig")
    service = reading.mapping(config, "service")
    if not service:
        return _UNSEEN
    if not reading.text(config, "caBundle"):
        fix = "see the logs of the webhook's own pods: they fill it in"
        return error("webhooks", f"{told} has no caBundle, so its answers are not trusted", fix)
    if await _has_endpoints(session, service):
        return None
    if await _is_another_name(session, service):
        return _UNSEEN
    where = f"{reading.text(service, 'namespace')}/{reading.text(service, 'name')}"
    detail = f"{told}: nobody answers at Service {where}, so what it checks is refused"
    see = command("kubectl", "get", "pods", "-n", reading.text(service, "namespace"))
    return error("webhooks", detail, see)


async def _has_endpoints(session: Session, service: Raw) -> bool:
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


async def _is_another_name(session: Session, service: Raw) -> bool:
    # The API server asks the host that such a Service names; it never has endpoints.
    namespace = quote(reading.text(service, "namespace"), safe="")
    name = quote(reading.text(service, "name"), safe="")
    try:
        found = await session.client.request(
            "GET", f"/api/v1/namespaces/{namespace}/services/{name}"
        )
    except errors.NotFoundError:
        return False
    return reading.mapping(found, "spec").get("type") == "ExternalName"

"""Admission webhooks: whether those answer that an execution depends on."""

from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.text import command
from workflowexecution.kube import errors
from workflowexecution.plugin.doctor.check import Finding, Installation, State, error, ok, warning
from workflowexecution.plugin.doctor.webhook_calls import Labels, Match, Places, call_of, terms_of
from workflowexecution.plugin.session import Session

_REGISTRIES: Final = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_REGISTRATION: Final = "/apis/admissionregistration.k8s.io/v1"
_UNSEEN: Final = ok("webhooks", "answered for where doctor does not look")


async def check_webhooks(session: Session, installation: Installation) -> list[Finding]:
    """Each webhook that is called for what an execution consists of has an endpoint."""
    listed = [
        (f"{reading.text(webhook, 'name')} of {reading.text(item['metadata'], 'name')}", webhook)
        for kind in _REGISTRIES
        async for item in session.client.list_pages(f"{_REGISTRATION}/{kind}")
        for webhook in reading.mappings(item, "webhooks")
        if call_of(webhook, Places())
    ]
    places = Places()
    if any(terms_of(webhook, "namespaceSelector") for _, webhook in listed):
        places = await _places(session, installation)
    found = [
        await _look_at(session, name, webhook, match)
        for name, webhook in listed
        if (match := call_of(webhook, places))
    ]
    problems = [item for item in found if item and item.state is not State.OK]
    return problems or [_all_well(len(found), found.count(_UNSEEN))]


def _all_well(count: int, unseen: int) -> Finding:
    detail = f"{count} that matter, all answered for"
    limit = f", as far as is known: {unseen} at a URL or an ExternalName, not looked at"
    return ok("webhooks", f"{detail}{limit if unseen else ''}")


async def _places(session: Session, installation: Installation) -> Places:
    return Places(
        [await _labels_of(session, installation, name) for name in installation.watched],
        [await _labels_of(session, installation, installation.execution_namespace)],
    )


async def _labels_of(session: Session, installation: Installation, name: str) -> Labels:
    try:
        found = await installation.read_namespace(session, name)
    except errors.NotFoundError:
        found = {}
    return {"kubernetes.io/metadata.name": name, **reading.mapping(found, "metadata", "labels")}


async def _look_at(session: Session, named: str, webhook: Raw, match: Match) -> Finding | None:
    """The problem of a webhook, or that it cannot be checked; None where it has an endpoint."""
    config = reading.mapping(webhook, "clientConfig")
    service = reading.mapping(config, "service")
    if not service:
        return _UNSEEN
    if not reading.text(config, "caBundle"):
        fix = "see the logs of the webhook's own pods: they fill it in"
        return _problem(f"{named} has no caBundle, so its answers are not trusted", fix, match)
    if await _has_endpoints(session, service):
        return None
    if await _is_another_name(session, service):
        return _UNSEEN
    where = f"{reading.text(service, 'namespace')}/{reading.text(service, 'name')}"
    detail = f"{named}: nobody answers at Service {where}, so what it checks is refused"
    see = command("kubectl", "get", "pods", "-n", reading.text(service, "namespace"))
    return _problem(detail, see, match)


def _problem(detail: str, fix: str, match: Match) -> Finding:
    if match is Match.YES:
        return error("webhooks", detail, fix)
    perhaps = f"{detail}; its selectors and conditions may leave out what executions consist of"
    return warning("webhooks", perhaps, fix)


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
    # A Service of type ExternalName has no endpoints: the API server calls the host that it names.
    namespace = quote(reading.text(service, "namespace"), safe="")
    name = quote(reading.text(service, "name"), safe="")
    try:
        found = await session.client.request(
            "GET", f"/api/v1/namespaces/{namespace}/services/{name}"
        )
    except errors.NotFoundError:
        return False
    return reading.mapping(found, "spec").get("type") == "ExternalName"

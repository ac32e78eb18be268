"""Images that cannot be pulled: of runs, and of the operator."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.api.status import FailureReason, Phase
from workflowexecution.client.paths import execution_paths
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.plugin.doctor.check import Finding, Installation, error, ok, warning
from workflowexecution.plugin.session import Session
from workflowexecution.views.why import happened_to

_WAITS: Final = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
)
_LATELY: Final = timedelta(hours=24)
_FIX: Final = (
    "see that the registry answers, that the image exists, and that the ServiceAccount's "
    "imagePullSecrets let it be pulled"
)


async def check_pods(session: Session, installation: Installation) -> list[Finding]:
    """No pod of a run or of the operator waits for its image."""
    pods = [
        item
        for namespace in dict.fromkeys(
            (installation.execution_namespace, installation.operator_namespace)
        )
        async for item in session.client.list_pages(
            f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
        )
    ]
    waits = waiting_for_images(pods)
    return [error("images", wait, _FIX) for wait in waits] or [
        ok("images", "no pod waits for one, of runs and of the operator")
    ]


def waiting_for_images(pods: Iterable[Raw]) -> list[str]:
    """A line for each pod whose image cannot be pulled."""
    found = []
    for pod in pods:
        meta, status = reading.mapping(pod, "metadata"), reading.mapping(pod, "status")
        containers = [
            *reading.mappings(status, "initContainerStatuses"),
            *reading.mappings(status, "containerStatuses"),
        ]
        for item in containers:
            waiting = reading.mapping(item, "state", "waiting")
            if reading.text(waiting, "reason") in _WAITS:
                who = f"{reading.text(meta, 'namespace')}/{reading.text(meta, 'name')}"
                what = f"{reading.text(waiting, 'reason')} {reading.text(item, 'image')}"
                found.append(f"pod {who}: {what}: {reading.text(waiting, 'message')}")
                break
    return found


async def check_failures(session: Session, installation: Installation) -> list[Finding]:
    """No execution has failed lately because its bundle or an image could not be pulled."""
    query = {"fieldSelector": f"status.phase={Phase.FAILED}"}
    failed = [
        parse_execution(item)
        for path in execution_paths(installation.watched)
        async for item in session.client.list_pages(path, query)
    ]
    return [failures_finding(failed, session.now())]


def failures_finding(failed: Iterable[Execution], now: datetime) -> Finding:
    """Judge failed executions of the last 24 hours."""
    lately = [
        item
        for item in failed
        if item.completed_at
        and now - item.completed_at < _LATELY
        and _reason_of(item) == FailureReason.IMAGE_PULL_BACK_OFF
    ]
    if not lately:
        return ok("pulls", "no execution failed within 24h because an image could not be pulled")
    last = max(lately, key=lambda item: (item.completed_at, item.name))
    detail = (
        f"{len(lately)} failed within 24h because an image could not be pulled, "
        f"last {last.namespace}/{last.name}"
    )
    return warning("pulls", f"{detail}: {happened_to(last)}", _FIX)


def _reason_of(execution: Execution) -> str:
    status = reading.mapping(execution.raw, "status")
    return reading.text(status, "failureDetails", "reason")

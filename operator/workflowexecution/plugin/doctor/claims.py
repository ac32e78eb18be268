"""The claims of the namespaces that the operator should serve."""

from collections.abc import Iterable, Mapping

from workflowexecution.api import identity, reading
from workflowexecution.api.reading import Raw
from workflowexecution.client.paths import claim_paths
from workflowexecution.core.claims import asked_for, others_among
from workflowexecution.core.text import command
from workflowexecution.plugin.doctor.finding import Finding, error, ok, warning
from workflowexecution.plugin.doctor.place import Place
from workflowexecution.plugin.session import Session


async def check_claims(session: Session, place: Place) -> list[Finding]:
    """No other installation has claimed what this one is to serve."""
    claims = [
        item
        for path in claim_paths(place.watched)
        async for item in session.client.list_pages(path)
    ]
    ours = place.told.get("WFE_EXECUTION_NAMESPACE", place.execution_namespace)
    return [claims_finding(holders_of(claims), ours, place.watched)]


def holders_of(claims: Iterable[Raw]) -> dict[str, str]:
    """The execution namespace by which each namespace is claimed."""
    return {
        reading.text(reading.mapping(item, "metadata"), "namespace"): reading.text(
            reading.mapping(item, "spec"), "executionNamespace"
        )
        for item in claims
    }


def claims_finding(
    holders: Mapping[str, str], execution_namespace: str, watched: tuple[str, ...]
) -> Finding:
    """Judge who has claimed what; an operator for all namespaces may leave some to others."""
    others = others_among(sorted(holders), holders, execution_namespace)
    if not others:
        return ok("claims", f"nothing is claimed by others than {execution_namespace}")
    detail = f"executions are left alone in {'; '.join(map(str, others))}"
    where = "NAMESPACE" if len(others) > 1 else others[0].namespace
    end = command("kubectl", "delete", identity.CLAIM_PLURAL, identity.CLAIM_NAME, "-n", where)
    fix = (
        "have one of the two serve other namespaces (WFE_WATCH_NAMESPACES); if the other is gone "
        f"for good: {end}"
    )
    is_asked_for = {one.namespace for one in others} & set(asked_for(watched))
    return error("claims", detail, fix) if is_asked_for else warning("claims", detail, fix)

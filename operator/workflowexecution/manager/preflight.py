"""The preflight checks of a start, each repeated until the API server meets it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from workflowexecution.api import identity
from workflowexecution.client.kube_cluster import KubeCluster, problem_of_versions
from workflowexecution.kube import errors, retry
from workflowexecution.observe.web_server import Health


class TooOldError(Exception):
    """Kubernetes or Tekton has to be upgraded first; the message says which, and to what."""


class Preflight:
    """Reports in ``health`` and in the log why a start waits."""

    def __init__(self, cluster: KubeCluster, health: Health) -> None:
        self._cluster = cluster
        self._health = health
        self._checking = asyncio.Lock()
        self._is_checked = False
        self._log = structlog.get_logger("app")

    async def check_cluster(self) -> None:
        """Wait, once, until Kubernetes and Tekton are new enough and all kinds are served."""
        async with self._checking:
            if self._is_checked:
                return
            await self.patiently(self._check_versions)
            await self.patiently(self._cluster.check_kinds)
            self._is_checked = True

    async def patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat one step until it succeeds."""
        on = (errors.ApiError, TooOldError)
        await retry.until_it_succeeds(step, on=on, report=self._report)

    async def _check_versions(self) -> None:
        kubernetes, tekton = await self._cluster.versions()
        if problem := problem_of_versions(kubernetes, tekton):
            raise TooOldError(problem)
        self._log.info("versions", kubernetes=kubernetes, tekton=tekton or "unknown")

    def _report(self, error: BaseException, attempt: int) -> None:
        self._health.not_ready = _explain(error)
        self._log.warning("not ready", problem=self._health.not_ready, attempt=attempt)


def _explain(error: Any) -> str:
    """The reason why the operator cannot start, and advice."""
    if isinstance(error, TooOldError):
        return str(error)
    if isinstance(error, errors.NotFoundError):
        missing = "Tekton Pipelines" if "tekton.dev" in str(error) else _kind_in(str(error))
        return f"the CRDs of {missing} are not installed; install them, this is tried again"
    if isinstance(error, errors.ForbiddenError):
        return f"the operator's ServiceAccount lacks a right; apply manifests/rbac: {error}"
    return f"the API server does not answer as needed: {error}"


def _kind_in(text: str) -> str:
    kinds = {identity.HOLD_PLURAL: identity.HOLD_KIND, identity.CLAIM_PLURAL: identity.CLAIM_KIND}
    return next((kind for plural, kind in kinds.items() if plural in text), identity.KIND)

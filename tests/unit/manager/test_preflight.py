"""A start waits for what is missing, and says what to do."""

from typing import Any, cast

import pytest

from workflowexecution.client.kube_cluster import KubeCluster
from workflowexecution.kube import errors
from workflowexecution.manager.watches import Preflight
from workflowexecution.observe.web_server import Health


class Here:
    """Answers in turn; the last answer stays."""

    def __init__(
        self, *kinds: errors.ApiError | None, versions: tuple[tuple[str, str], ...]
    ) -> None:
        self.kinds, self.told = list(kinds), list(versions)
        self.asked: list[str] = []

    async def versions(self) -> tuple[str, str]:
        self.asked.append("versions")
        return self.told.pop(0)

    async def check_kinds(self) -> None:
        self.asked.append("kinds")
        if error := self.kinds.pop(0):
            raise error


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def do_not_wait(*_: Any) -> None: ...

    monkeypatch.setattr("tenacity.asyncio._portable_async_sleep", do_not_wait)


NEW = ("v1.36.3", "v1.15.0")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.NotFoundError("pipelineruns.tekton.dev"), "the CRDs of Tekton Pipelines are not"),
        (errors.NotFoundError("workflowholds not found"), "the CRDs of WorkflowHold are not"),
        (errors.NotFoundError("workflowclaims not found"), "the CRDs of WorkflowClaim are not"),
        (errors.NotFoundError("the rest"), "the CRDs of WorkflowExecution are not installed"),
        (
            errors.MissingRightError("no"),
            "lacks a right; apply its release again: no",
        ),
        (errors.UnavailableError("no answer"), "does not answer as needed: no answer"),
    ],
)
async def test_what_is_missing_is_said_and_tried_again(error: errors.ApiError, said: str) -> None:
    here, health = Here(error, None, versions=(NEW,)), Health()
    await Preflight(cast(KubeCluster, here), health).check_cluster()
    assert here.asked == ["versions", "kinds", "kinds"]
    assert said in health.not_ready


async def test_kinds_are_asked_for_once_the_versions_are_new_enough() -> None:
    here, health = Here(None, versions=(("v1.20.0", ""), NEW)), Health()
    await Preflight(cast(KubeCluster, here), health).check_cluster()
    assert here.asked == ["versions", "versions", "kinds"]
    assert "Kubernetes v1.20.0 is too old" in health.not_ready

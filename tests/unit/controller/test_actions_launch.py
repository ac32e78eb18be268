"""An execution that the cache keeps only in part is launched completely, or not at all."""

from typing import Any, cast

import pytest

from builders import NOW, RUN_NAMESPACE, make_policy, raw_execution, raw_spec
from clocks import FixedClock
from workflowexecution.cache.memory import Memory
from workflowexecution.cache.store import Store
from workflowexecution.client.cluster import Cluster
from workflowexecution.controller.actions import Launcher
from workflowexecution.controller.context import DECIDE_AGAIN, Context
from workflowexecution.controller.live_reads import LiveReads
from workflowexecution.core.facts.decoding import parse_execution
from workflowexecution.core.facts.execution import Execution
from workflowexecution.core.facts.run import Run
from workflowexecution.core.verdict import Launch
from workflowexecution.kube import errors

LARGE = raw_execution(spec=raw_spec(parameters={"MESSAGE": "x" * 32_768}))


class Here:
    """A cluster with one execution in it, or none; what is created is kept."""

    def __init__(self, raw: dict[str, Any] | None) -> None:
        self.raw = raw
        self.created: list[Any] = []

    async def get_execution(self, _: str, name: str) -> dict[str, Any]:
        if self.raw is None:
            raise errors.NotFoundError("it is not found", status=404, name=name)
        return self.raw

    async def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.created.append(manifest)
        more = {"uid": "u", "resourceVersion": "9", "creationTimestamp": "2026-01-02T12:00:00Z"}
        return {**manifest, "metadata": {**manifest["metadata"], **more}}


class Silent:
    """Takes in whatever it is told."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None


def launcher_of(here: Here) -> tuple[Launcher, Execution]:
    store, clock, silent = Store(RUN_NAMESPACE), FixedClock(NOW), cast(Any, Silent())
    store.observe_execution(parse_execution(LARGE), now=NOW)
    cluster = cast(Cluster, here)
    memory = Memory()
    context = Context(cluster, store, memory, silent, make_policy(), clock, silent, silent)
    launcher = Launcher(context, LiveReads(context))
    (execution,) = store.executions()
    return launcher, execution


async def test_parameters_that_are_not_kept_are_read() -> None:
    here = Here(LARGE)
    launcher, execution = launcher_of(here)
    assert "parameters" not in execution.raw["spec"]
    launched = await launcher.launch(execution, Launch("wfe-0-1"))
    assert isinstance(launched, Run)
    (manifest,) = here.created
    assert manifest["spec"]["params"][0] == {"name": "MESSAGE", "value": "x" * 32_768}


@pytest.mark.parametrize("now_there", [None, raw_execution(uid="another")])
async def test_one_that_is_gone_by_then_is_not_launched(now_there: dict[str, Any] | None) -> None:
    """Another one of its name is not taken for it."""
    here = Here(now_there)
    launcher, execution = launcher_of(here)
    assert await launcher.launch(execution, Launch("wfe-0-1")) is DECIDE_AGAIN
    assert here.created == []

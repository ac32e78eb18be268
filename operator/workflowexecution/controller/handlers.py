"""The kopf handlers: each passes changes on to the listener of its kind.

There are two registries, because kopf watches all kinds of a registry in the same namespaces.
Executions and claims may be in any namespace. Runs and holds are in the execution namespace, and
the operator may read them only there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.kube.kopf_settings import kopf, set_up
from workflowexecution.kube.watch_tap import Inbox

OF_EXECUTIONS: Final = kopf.OperatorRegistry()
OF_RUNS: Final = kopf.OperatorRegistry()

_OURS: Final = (identity.GROUP, identity.VERSION)

# A listener: takes the type of an event and the object; returns at once and never raises.
TakeIn = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Listeners:
    """kopf's memo: the listener of each kind. All objects share one memo.

    inbox: holds the changes that kopf calls handlers for.
    login: opens the session that kopf watches through.
    check: returns once the cluster has everything the operator needs.
    """

    inbox: Inbox
    login: Callable[[], Awaitable[kopf.AiohttpSession]]
    check: Callable[[], Awaitable[None]]
    on_execution: TakeIn
    on_run: TakeIn
    on_hold: TakeIn
    on_claim: TakeIn

    def pass_on(self, take_in: TakeIn, event: kopf.RawEvent) -> None:
        """Pass the changes behind a kopf event on to a listener."""
        for change in self.inbox.take(event["object"]):
            take_in(*change)

    def __copy__(self) -> "Listeners":
        return self


@kopf.on.startup(registry=OF_EXECUTIONS)
@kopf.on.startup(registry=OF_RUNS)
async def begin(settings: kopf.OperatorSettings, memo: Listeners, **_: Any) -> None:
    """Set kopf up, and wait until the cluster serves the watched kinds."""
    set_up(settings)
    memo.inbox.clear()
    await memo.check()


@kopf.on.login(registry=OF_EXECUTIONS)
@kopf.on.login(registry=OF_RUNS)
async def login(memo: Listeners, **_: Any) -> kopf.AiohttpSession:
    """Open the session that kopf watches through."""
    return await memo.login()


@kopf.on.event(*_OURS, identity.PLURAL, registry=OF_EXECUTIONS)
async def execution_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of an execution."""
    memo.pass_on(memo.on_execution, event)


@kopf.on.event(*_OURS, identity.CLAIM_PLURAL, registry=OF_EXECUTIONS)
async def claim_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a claim."""
    memo.pass_on(memo.on_claim, event)


@kopf.on.event("tekton.dev", "v1", "pipelineruns", registry=OF_RUNS)
async def run_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a run."""
    memo.pass_on(memo.on_run, event)


@kopf.on.event(*_OURS, identity.HOLD_PLURAL, registry=OF_RUNS)
async def hold_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a hold."""
    memo.pass_on(memo.on_hold, event)


@kopf.on.cleanup(registry=OF_EXECUTIONS)
@kopf.on.cleanup(registry=OF_RUNS)
async def end(memo: Listeners, **_: Any) -> None:
    """Forget changes that were not delivered; a relist finds them."""
    memo.inbox.clear()

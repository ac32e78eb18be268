"""The handlers kopf calls: they take in what has changed, and what decides is behind them.

Two registries, because kopf watches all kinds of one in the same namespaces: executions and claims
may be anywhere, runs and holds are in the execution namespace, where alone there is a right to
them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from workflowexecution.api import identity
from workflowexecution.kube.kopf_inbox import Inbox
from workflowexecution.kube.kopf_settings import kopf, set_up

OF_EXECUTIONS: Final = kopf.OperatorRegistry()
OF_RUNS: Final = kopf.OperatorRegistry()

_OURS: Final = (identity.GROUP, identity.VERSION)

# Takes in the type of an event and the object; returns at once and never raises.
TakeIn = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Listeners:
    """kopf's memo: who takes in what. There is one, whatever object an event is of.

    inbox: where the changes are that kopf tells of.
    login: opens the session that kopf watches through.
    check: returns once the cluster has what the operator needs.
    """

    inbox: Inbox
    login: Callable[[], Awaitable[kopf.AiohttpSession]]
    check: Callable[[], Awaitable[None]]
    on_execution: TakeIn
    on_run: TakeIn
    on_hold: TakeIn
    on_claim: TakeIn

    def tell(self, take_in: TakeIn, event: kopf.RawEvent) -> None:
        """Hand on the changes that an event is of."""
        for change in self.inbox.take(event["object"]):
            take_in(*change)

    def __copy__(self) -> "Listeners":
        return self


@kopf.on.startup(registry=OF_EXECUTIONS)
@kopf.on.startup(registry=OF_RUNS)
async def begin(settings: kopf.OperatorSettings, memo: Listeners, **_: Any) -> None:
    """Set kopf up, and have it wait until what it is to watch is served."""
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
    memo.tell(memo.on_execution, event)


@kopf.on.event(*_OURS, identity.CLAIM_PLURAL, registry=OF_EXECUTIONS)
async def claim_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a claim."""
    memo.tell(memo.on_claim, event)


@kopf.on.event("tekton.dev", "v1", "pipelineruns", registry=OF_RUNS)
async def run_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a run."""
    memo.tell(memo.on_run, event)


@kopf.on.event(*_OURS, identity.HOLD_PLURAL, registry=OF_RUNS)
async def hold_changed(event: kopf.RawEvent, memo: Listeners, **_: Any) -> None:
    """Take in a change of a hold."""
    memo.tell(memo.on_hold, event)


@kopf.on.cleanup(registry=OF_EXECUTIONS)
@kopf.on.cleanup(registry=OF_RUNS)
async def end(memo: Listeners, **_: Any) -> None:
    """Forget what was not delivered; a resync finds it."""
    memo.inbox.clear()

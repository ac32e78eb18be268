"""The context of every command: shared flags, access to the cluster, a printer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.kube.load_access import load_access, load_namespace
from workflowexecution.plugin.rendering import Output, Printer

# Logs of all steps of a run are followed side by side, and questions asked beside them.
_CONNECTIONS: Final = 100
_CLOSING_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Flags of all commands that ask a cluster; None where one is not given."""

    namespace: str | None
    all_namespaces: bool
    output: Output
    context: str | None
    kubeconfig: str | None
    execution_namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command at work.

    namespace: of the executions that are meant.
    execution_namespace: where the runs are.
    """

    client: ApiClient
    clock: ServerClock
    printer: Printer
    namespace: str
    all_namespaces: bool
    execution_namespace: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces whose executions are meant; empty for all."""
        return () if self.all_namespaces else (self.namespace,)

    def now(self) -> datetime:
        """The API server's time, aware UTC; known once it has answered."""
        return self.clock.now()


@asynccontextmanager
async def open_session(flags: Flags) -> AsyncIterator[Session]:
    """Open the way to the cluster that the flags, or else the kubeconfig, name.

    Raises: FileNotFoundError or ValueError where there is no usable kubeconfig.
    """
    access = load_access(flags.kubeconfig, flags.context)
    namespace = flags.namespace or load_namespace(flags.kubeconfig, flags.context)
    clock = ServerClock()
    async with access.open_session(connections=_CONNECTIONS) as http:
        yield Session(
            client=ApiClient(http, access.server, clock),
            clock=clock,
            printer=Printer(flags.output),
            namespace=namespace,
            all_namespaces=flags.all_namespaces,
            execution_namespace=flags.execution_namespace,
        )


async def let_connections_close() -> None:
    """Give those that were cut in the midst of an answer the event loop that they close in."""
    await asyncio.sleep(_CLOSING_S)

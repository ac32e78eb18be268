"""The context of every command: shared flags, access to the cluster, a printer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from workflowexecution.kube.access import Access
from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.kube.load_access import load_access, load_namespace
from workflowexecution.plugin.flags import Flags
from workflowexecution.plugin.rendering import Printer

# `logs` follows the logs of all steps at the same time, and sends other requests, too.
_CONNECTIONS: Final = 100
_CLOSING_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The connection, printer and namespaces of one command.

    namespace: of executions.
    asked_namespace: the one that -n names; empty without it.
    execution_namespace: of runs.
    """

    client: ApiClient
    clock: ServerClock
    printer: Printer
    namespace: str
    all_namespaces: bool
    execution_namespace: str
    asked_namespace: str = ""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of the executions; empty for all."""
        return () if self.all_namespaces else (self.namespace,)

    def now(self) -> datetime:
        """The API server's time, aware UTC; right after its first answer."""
        return self.clock.now()


@asynccontextmanager
async def open_session(flags: Flags) -> AsyncIterator[Session]:
    """Connect to the cluster that the flags name, else the kubeconfig.

    Raises: FileNotFoundError or ValueError where there is no usable kubeconfig.
    """
    access = _impersonating(load_access(flags.kubeconfig, flags.context), flags)
    namespace = flags.namespace or load_namespace(flags.kubeconfig, flags.context)
    clock = ServerClock()
    async with access.open_session(connections=_CONNECTIONS) as http:
        yield Session(
            client=ApiClient(http, access.server, clock),
            clock=clock,
            printer=Printer(flags.output, flags.template),
            namespace=namespace,
            all_namespaces=flags.all_namespaces,
            execution_namespace=flags.execution_namespace,
            asked_namespace=flags.namespace or "",
        )


def _impersonating(access: Access, flags: Flags) -> Access:
    """The access with the headers of `--as`, which replace those of the kubeconfig."""
    if not flags.as_user:
        if flags.as_groups:
            raise ValueError("--as-group needs --as: name the user to impersonate")
        return access
    headers = [("Impersonate-User", flags.as_user)]
    headers += [("Impersonate-Group", group) for group in flags.as_groups]
    if not all(value.isprintable() and value for _, value in headers):
        raise ValueError("--as and --as-group must be texts without control characters")
    return replace(access, impersonation=tuple(headers))


async def let_connections_close() -> None:
    """Keep the event loop running until connections with an unfinished answer are closed."""
    await asyncio.sleep(_CLOSING_S)

"""The context of every command: shared flags, access to the cluster, a printer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from workflowexecution.kube.client import ApiClient
from workflowexecution.kube.clock import ServerClock
from workflowexecution.kube.kubeconfig import Asked
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
    asked = asked_by(flags)
    access = load_access(asked)
    namespace = flags.namespace or load_namespace(asked)
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


def asked_by(flags: Flags) -> Asked:
    """The wishes of the flags. Raises: ValueError where they do not fit each other."""
    return Asked(
        kubeconfig=flags.kubeconfig,
        context=flags.context,
        cluster=flags.cluster,
        user=flags.user,
        impersonated=_impersonated(flags),
    )


def _impersonated(flags: Flags) -> dict[str, Any]:
    """The fields of a user in a kubeconfig that these flags replace, as kubectl does it."""
    extra: dict[str, list[str]] = {}
    for item in flags.as_user_extra:
        key, mark, value = item.partition("=")
        if not (key and mark):
            raise ValueError(f"--as-user-extra {item!r}: write it as KEY=VALUE")
        extra.setdefault(key, []).append(value)
    given = {
        "--as": ("as", flags.as_user),
        "--as-group": ("as-groups", list(flags.as_groups)),
        "--as-uid": ("as-uid", flags.as_uid),
        "--as-user-extra": ("as-user-extra", extra),
    }
    fields = {flag: pair for flag, pair in given.items() if pair[1]}
    if fields and "--as" not in fields:
        raise ValueError(f"{next(iter(fields))} needs --as: name the user to impersonate")
    texts = [flags.as_user or "", *flags.as_groups, flags.as_uid or "", *flags.as_user_extra]
    if not all(map(str.isprintable, texts)) or "" in flags.as_groups:
        flags_named = ", ".join(fields)
        raise ValueError(f"{flags_named}: must be texts without control characters")
    return dict(fields.values())


async def let_connections_close() -> None:
    """Keep the event loop running until connections with an unfinished answer are closed."""
    await asyncio.sleep(_CLOSING_S)

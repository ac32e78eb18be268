"""Reads logs of containers: the last lines, the log until now, and the log until its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final
from urllib.parse import quote

from workflowexecution.kube import errors
from workflowexecution.kube.client import ApiClient

# Longer lines are cut: one line of a log can be as long as the whole log.
_LINE: Final = 500
_LIMIT: Final = 256 * 1024
_SILENCE_S: Final = 10.0
# After so long without a line the log is requested again, because the connection may be dead.
_FOLLOWED_SILENCE_S: Final = 60.0
_PAUSE_S: Final = 1.0


async def read_tail(
    client: ApiClient, namespace: str, pod: str, container: str, lines: int
) -> tuple[str, ...]:
    """The last lines of a container's log, oldest first.

    Raises: NotFoundError where the pod is gone, RejectedError where it has no log,
        MissingRightError, or UnavailableError.
    """
    query = {"container": container, "tailLines": str(lines), "limitBytes": str(_LIMIT)}
    path = _path(namespace, pod)
    async with client.stream(path, query, silence=_SILENCE_S, with_rest=True) as log:
        found = [line.decode(errors="replace")[:_LINE] async for line in log]
    return tuple(found)


async def read_log(
    client: ApiClient, namespace: str, pod: str, container: str, lines: int | None
) -> AsyncIterator[str]:
    """Yield the log of a container as it is now; with ``lines``, only the last ones.

    Raises: as `read_tail`.
    """
    query = {"container": container} | ({"tailLines": str(lines)} if lines is not None else {})
    path = _path(namespace, pod)
    async with client.stream(path, query, silence=_SILENCE_S, with_rest=True) as log:
        async for line in log:
            yield line.decode(errors="replace")


async def follow_log(
    client: ApiClient,
    namespace: str,
    pod: str,
    container: str,
    lines: int | None,
    is_over: Callable[[], bool],
) -> AsyncIterator[str]:
    """Follow the log of a container until it ends; yield each line once.

    Args:
        client: to the API server.
        namespace: of the pod.
        pod: its name.
        container: name of one of its containers.
        lines: the number of last lines to begin with; None for all.
        is_over: whether the log is complete; called after a lost connection.
    Raises: as `read_tail`.
    """
    query = {"container": container, "follow": "true", "timestamps": "true"}
    first, last = ({"tailLines": str(lines)} if lines is not None else {}), ""
    while True:
        since = {"sinceTime": last} if last else first
        try:
            async with client.stream(
                _path(namespace, pod), query | since, silence=_FOLLOWED_SILENCE_S, with_rest=True
            ) as log:
                async for line in log:
                    stamp, _, text = line.decode(errors="replace").partition(" ")
                    # After a reconnect the log begins with the second of the last line.
                    if stamp > last:
                        last = stamp
                        yield text
            return
        except errors.UnavailableError:
            if is_over():
                raise
            await asyncio.sleep(_PAUSE_S)


def _path(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/log"

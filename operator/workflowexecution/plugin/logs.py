"""Reads logs of containers: their last lines, all of them, or what they are writing."""

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
# A step may say nothing for long, and a connection may be dead: it is opened anew.
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
    """Yield a container's log as far as it is written; its last lines only, where told so.

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
    """Yield a container's log and what is added to it, each line once, until it ends.

    Args:
        client: to the API server.
        namespace: of the pod.
        pod: its name.
        container: name of one of its containers.
        lines: of what is there already only the last ones; None for all.
        is_over: whether nothing is added any more; asked when a connection was lost.
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
                    # From a second time on the log is told from its last second on.
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

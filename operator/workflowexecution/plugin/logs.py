"""Reads the last lines of a container's log."""

from typing import Final
from urllib.parse import quote

from workflowexecution.kube.client import ApiClient

# Longer lines are cut: one line of a log can be as long as the whole log.
_LINE: Final = 500
_LIMIT: Final = 256 * 1024
_SILENCE_S: Final = 10.0


async def read_tail(
    client: ApiClient, namespace: str, pod: str, container: str, lines: int
) -> tuple[str, ...]:
    """The last lines of a container's log, oldest first.

    Raises: NotFoundError where the pod is gone, RejectedError where it has no log,
        MissingRightError, or UnavailableError.
    """
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/log"
    query = {"container": container, "tailLines": str(lines), "limitBytes": str(_LIMIT)}
    async with client.stream(path, query, silence=_SILENCE_S, with_rest=True) as log:
        found = [line.decode(errors="replace")[:_LINE] async for line in log]
    return tuple(found)

"""The line of news between the starting cluster and the `up` that waits for it: a pipe of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import TextIOWrapper

from localcluster.errors import ClusterError

DONE = "ready"


class Reporter:
    """The cluster's end. `close` says that nothing more will come."""

    def __init__(self, descriptor: int) -> None:
        self._pipe: TextIOWrapper = open(descriptor, "w")  # noqa: SIM115

    def step(self, text: str) -> None:
        """Tell what happens now. Raises BrokenPipeError if nobody waits any more."""
        self._send({"step": text})

    def ready(self) -> None:
        """Tell that the cluster can be used, and close."""
        self._send({"step": DONE})
        self.close()

    def fail(self, error: ClusterError) -> None:
        """Tell why there will be no cluster, and close."""
        parts = {"error": error.message, "detail": error.detail, "hint": error.hint}
        self._send(parts)
        self.close()

    def close(self) -> None:
        """Close the pipe; harmless if closed before."""
        self._pipe.close()

    def _send(self, news: dict[str, str]) -> None:
        self._pipe.write(json.dumps(news) + "\n")
        self._pipe.flush()


def listen(descriptor: int) -> Iterator[str]:
    """Yield what happens, step by step, until the cluster is ready.

    Raises ClusterError where the cluster reports one or ends without a word.
    """
    with open(descriptor) as pipe:
        for line in pipe:
            news: dict[str, str] = json.loads(line)
            if "error" in news:
                raise ClusterError(news["error"], detail=news["detail"], hint=news["hint"])
            if news["step"] == DONE:
                return
            yield news["step"]
    raise ClusterError("the cluster's supervisor ended before the cluster was ready")

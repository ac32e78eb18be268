"""Measures the delay of the operator's event loop: it sends a probe again and again."""

from __future__ import annotations

import http.client
import threading
import time
from types import TracebackType

PAUSE_S = 0.02


class Lag:
    """Asks /healthz within the block; `seconds` are the times it took to answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.seconds: list[float] = []

    def __enter__(self) -> Lag:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.wait(PAUSE_S):
            began = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            self.seconds.append(time.monotonic() - began)
        connection.close()

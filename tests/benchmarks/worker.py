"""The other end of a role: its process, what it is told and what it tells."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from benchmarks import shipped

STOP_S = 30.0


class Worker:
    """A role in a process of its own."""

    def __init__(self, command: list[str], role: str, order: dict[str, Any]) -> None:
        self._role = role
        self._told: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": shipped.path_for_roles()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.say(json.dumps(order))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def say(self, line: str) -> None:
        """Tell it something."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def until(self, what: str, seconds: float) -> dict[str, Any]:
        """Wait until it tells this; AssertionError where it tells anything else, or nothing."""
        try:
            line = self._told.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"{self._role} did not tell {what!r} in {seconds:g} s") from None
        told: dict[str, Any] = json.loads(line or "{}")
        assert told.get("at") == what, f"{self._role} told {line[:200]!r}, not {what!r}"
        return told

    def end(self) -> None:
        """Wait for its end, which should be near."""
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._close()

    def _close(self) -> None:
        self._process.wait()
        self._listener.join()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._told.put(line)
        self._told.put("")


@contextmanager
def working(command: list[str], role: str, order: dict[str, Any]) -> Iterator[Worker]:
    """A role that has ended when the block has, well or not."""
    worker = Worker(command, role, order)
    try:
        yield worker
    except BaseException:
        worker.kill()
        raise
    worker.end()

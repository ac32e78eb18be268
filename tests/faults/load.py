"""Executions created at a steady pace, whatever the operator does with them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.executions import unique_target
from harness.player import FAILING
from harness.world import World
from localcluster.cluster import ApiError, Object

# One in so many workflows fails, and one in so many wants the target of the one before it.
FAILING_EVERY, BUSY_EVERY = 5, 3


class Load:
    """Creates executions in a thread of its own until closed; `items` are those it created."""

    def __init__(
        self, world: World, per_second: float, target: Callable[[], str] = unique_target
    ) -> None:
        self.items: list[Object] = []
        self._world = world
        self._pause_s = 1 / per_second
        self._target = target
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Create no more."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        target = self._target()
        while not self._stop.wait(self._pause_s):
            number = len(self.items)
            if number % BUSY_EVERY:
                target = self._target()
            workflow = FAILING if number % FAILING_EVERY == 0 else f"restart-{number % 2}"
            try:
                self.items.append(self._world.create(target, workflow=workflow))
            except (ApiError, OSError):
                # The API server is away, or the namespace is: nothing was asked for.
                continue

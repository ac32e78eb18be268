"""Tekton, played without a script: every run is taken through its life as soon as it is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count

from harness.objects import path_of
from harness.observer import Observer
from harness.tekton import Tekton
from localcluster.cluster import ApiError, Cluster, Object

WORKFLOW = "kubernaut.ai/workflow-id"
FAILING = "failing"
WORKERS = 4
# How long pods take to stop once their run is called cancelled.
STOP_S = 0.3


class Player:
    """Begins each run, and ends it after `seconds`: badly, where its workflow's name says so.

    A run that is cancelled ends as Tekton ends it, its pods a little later.
    """

    def __init__(self, cluster: Cluster, namespace: str, seconds: float = 0.5) -> None:
        self._tekton = Tekton(cluster)
        self._seconds = seconds
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._news = threading.Condition()
        self._is_open = True
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="player")
        self._clock = threading.Thread(target=self._work, name="player", daemon=True)
        self._clock.start()
        self._observer = Observer(
            cluster, {"pipelineruns": [path_of("pipelineruns", namespace)]}, self._on_run
        )
        self._observer.start()

    def close(self) -> None:
        """Stop; runs stay as they are."""
        self._observer.close()
        with self._news:
            self._is_open = False
            self._news.notify()
        self._clock.join(10)
        self._pool.shutdown(cancel_futures=True)

    def _on_run(self, _: str, kind: str, run: Object) -> None:
        uid = run["metadata"]["uid"]
        if kind == "DELETED" or _has_ended(run):
            self._ended.add(uid)
        elif run["spec"].get("status") and uid not in self._ended:
            self._ended.add(uid)
            self._later(0, lambda: self._cancel(run))
        elif uid not in self._begun:
            self._begun.add(uid)
            self._later(0, lambda: self._begin(run))

    def _begin(self, run: Object) -> None:
        try:
            self._tekton.begin(run)
        except ApiError as error:
            # Half of it was done already when the API server went away.
            if error.code != 409:
                raise
        self._later(self._seconds, lambda: self._end(run))

    def _end(self, run: Object) -> None:
        if run["metadata"]["uid"] in self._ended:
            return
        is_failing = FAILING in run["metadata"]["annotations"].get(WORKFLOW, "")
        (self._tekton.fail if is_failing else self._tekton.succeed)(run)

    def _cancel(self, run: Object) -> None:
        self._tekton.obey_cancel(run)
        self._later(STOP_S, lambda: self._tekton.stop_tasks(run))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        with self._news:
            heappush(self._due, (time.monotonic() + seconds, next(self._numbers), act))
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if not self._is_open:
                    return
                if wait is None or wait > 0:
                    self._news.wait(wait)
                    continue
                act = heappop(self._due)[2]
            self._pool.submit(self._act, act)

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (ApiError, OSError) as error:
            is_gone = isinstance(error, ApiError) and error.code in (403, 404, 409)
            if not is_gone:
                # The API server is away for a moment.
                self._later(0.5, act)


def _has_ended(run: Object) -> bool:
    conditions = run.get("status", {}).get("conditions") or []
    return any(one["type"] == "Succeeded" and one["status"] != "Unknown" for one in conditions)

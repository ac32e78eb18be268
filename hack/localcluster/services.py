"""The programs of a cluster as child processes: started, waited for, kept running, ended."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.cluster import ApiError
from localcluster.errors import ClusterError

RESTART_SECONDS = 1.0
READY_POLL_SECONDS = 0.1
TAIL_LINES = 25
PR_SET_PDEATHSIG = 1
# Code of ours between fork and exec could wait for the lock of a thread that is not there.
_DIES_WITH_PARENT = ("--pdeathsig", "KILL", "--")


@dataclass(frozen=True)
class Service:
    """One program: `ready` is polled until true; without it the program counts as ready at once."""

    name: str
    command: Sequence[object]
    environment: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None


class Services:
    """Runs services with one log file each in `logs`; restarts what ends after it was ready."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._keepers: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, service: Service, seconds: float = 180.0) -> None:
        """Start a service and wait until it is ready.

        Raises ClusterError with the end of its log if it ends before, or is not ready in time.
        """
        process = await self._spawn(service)
        deadline = time.monotonic() + seconds
        while not await _is_ready(service):
            if process.returncode is not None:
                raise self._error(service, f"ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise self._error(service, f"is not ready after {seconds:.0f} s")
            await asyncio.sleep(READY_POLL_SECONDS)
        keeper = asyncio.create_task(self._keep(service, process))
        self._keepers.add(keeper)

    async def stop(self) -> None:
        """End every service at once; nothing of a throw-away cluster is worth a slow goodbye."""
        for keeper in self._keepers:
            keeper.cancel()
        for process in self._running.values():
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in self._running.values()))

    def reap_orphans(self) -> None:
        """Collect ended processes that the kernel gave to us as the namespace's first process."""
        own = {process.pid for process in self._running.values()}
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            while (ended := os.waitid(os.P_ALL, 0, flags)) and ended.si_pid not in own:
                os.waitpid(ended.si_pid, 0)
        except ChildProcessError:
            return

    async def _spawn(self, service: Service) -> asyncio.subprocess.Process:
        with self._log(service.name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *dying_with_parent(service.command),
                env={**os.environ, **service.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running[service.name] = process
        return process

    async def _keep(self, service: Service, process: asyncio.subprocess.Process) -> None:
        while True:
            status = await process.wait()
            with self._log(service.name).open("a") as log:
                log.write(f"localcluster: {service.name} ended with status {status}, restarting\n")
            await asyncio.sleep(RESTART_SECONDS)
            process = await self._spawn(service)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _error(self, service: Service, what: str) -> ClusterError:
        lines = self._log(service.name).read_text(errors="replace").splitlines()
        return ClusterError(f"{service.name} {what}", detail="\n".join(lines[-TAIL_LINES:]))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def dying_with_parent(command: Sequence[object]) -> list[str]:
    """The command that has the kernel do so to a program (Linux, with util-linux)."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [*((setpriv, *_DIES_WITH_PARENT) if setpriv else ()), *map(str, command)]


async def _is_ready(service: Service) -> bool:
    try:
        return service.ready is None or await asyncio.to_thread(service.ready)
    except (ApiError, OSError):
        return False

"""The outermost process of a cluster: it ends the cluster in every way a cluster can end.

It holds the lock on the state directory, starts the supervisor, and waits for the supervisor's
end, a signal, or the owner's death; then nothing of the cluster is left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from localcluster import cgroups, request, sandbox
from localcluster.programs import Tier
from localcluster.request import Request
from localcluster.services import dying_with_parent
from localcluster.state import clean, pid_path

POLL_SECONDS = 0.3
STOP_SECONDS = 10.0


class Keeper:
    """Watches over one supervisor."""

    def __init__(self, order: Request, report: int, lock: int) -> None:
        self._order = order
        self._report = report
        self._lock = lock
        self._told_to_stop = False

    def run(self) -> None:
        """Start the supervisor, wait for a reason to end, end and clean."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        supervisor = self._start()
        try:
            while supervisor.poll() is None and not self._told_to_stop and self._owner_lives():
                time.sleep(POLL_SECONDS)
        finally:
            _end(supervisor)
            clean(self._order.state)

    def _start(self) -> subprocess.Popen[bytes]:
        state = self._order.state
        if self._order.isolated:
            sandbox.give_children_their_own()
        if self._order.tier is Tier.NODE:
            cgroups.create(state)
        command = (sys.executable, "-m", "localcluster.supervisor", state, str(self._report))
        # The supervisor inherits the lock too: while either of the two lives, it is held.
        supervisor = subprocess.Popen(
            dying_with_parent(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(self._report, self._lock),
        )
        os.close(self._report)
        return supervisor

    def _on_signal(self, number: int, frame: object) -> None:
        self._told_to_stop = True

    def _owner_lives(self) -> bool:
        if self._order.owner is None:
            return True
        try:
            os.kill(self._order.owner, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    assert supervisor.stdin
    supervisor.stdin.close()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def main() -> None:
    """Run as `python -m localcluster.keeper STATE REPORT_DESCRIPTOR LOCK_DESCRIPTOR`."""
    state, report, lock = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pid_path(state).write_text(str(os.getpid()))
    Keeper(request.load(state), report, lock).run()


if __name__ == "__main__":
    main()

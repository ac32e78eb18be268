"""`kubectl wfe watch` and what a terminal is shown: in a process of its own, as people run it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from harness.executions import name_of, unique_target
from harness.waiting import eventually
from harness.world import World


class Running:
    """A command that goes on, and what it has written until now."""

    def __init__(self, process: subprocess.Popen[bytes], source: int) -> None:
        self.process = process
        self.written = ""
        self._source = source
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        # A terminal whose other end is closed is an error to read from.
        while True:
            try:
                chunk = os.read(self._source, 65536)
            except OSError:
                return
            if not chunk:
                return
            self.written += chunk.decode()

    def tells(self, text: str) -> None:
        """Wait until it has written this."""

        def check() -> None:
            assert text in self.written, self.written

        eventually(check)

    def interrupted(self) -> int:
        """Press Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@contextmanager
def running(world: World, *arguments: str, terminal: bool) -> Iterator[Running]:
    """Run a command that goes on; its standard output is a terminal or a pipe."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "workflowexecution.plugin", *arguments),
            f"--kubeconfig={world.cluster.kubeconfig}",
            f"--namespace={world.source}",
        ],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"},
        # What a shell runs in the background ignores it, and so does whatever that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(theirs)
    try:
        yield Running(process, ours)
        assert b"Traceback" not in process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.communicate(timeout=30)
        os.close(ours)


def test_every_change_is_a_line_until_somebody_has_seen_enough(world: World) -> None:
    target = unique_target()
    with running(world, "watch", "--target", target, terminal=False) as watching:
        item, run = world.launched(target)
        line = f"{world.source}/{name_of(item)}: "
        watching.tells(f"{line}Running")
        world.tekton.begin(run)
        world.tekton.succeed(run)
        watching.tells(f"{line}Completed")
        world.executions.delete(item)
        watching.tells(f"{line}deleted; workflow restart on {target}\n")
        assert watching.interrupted() == 130
    assert "\x1b" not in watching.written


def test_a_terminal_shows_a_table_in_colours_that_stays_true(world: World) -> None:
    target = unique_target()
    item, run = world.launched(target)
    with running(world, "watch", "--target", target, terminal=True) as watching:
        watching.tells("\x1b[36mRunning")
        world.tekton.begin(run)
        world.tekton.fail(run)
        watching.tells("\x1b[31mFailed")
        assert watching.interrupted() == 130
    assert name_of(item) in watching.written


def test_one_execution_is_followed_to_its_end(world: World) -> None:
    item, run = world.launched(unique_target())
    with running(world, "watch", name_of(item), terminal=False) as watching:
        world.tekton.begin(run)
        world.tekton.fail(run)
        assert watching.process.wait(60) == 10

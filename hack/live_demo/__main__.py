"""`make demo`: play the story; exit status 0 only if every execution ended as told.

With KEEP=1 the local cluster stays, and what to try next is printed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from live_demo.deployed import deploy
from live_demo.ending import look, tell_next
from live_demo.ground import Ground, installed, kept_ground, local_ground, own_ground
from live_demo.stage import Stage
from live_demo.story import ACTS, not_as_told, play
from live_demo.table import table_of
from live_demo.tools import DemoError, operator
from localcluster import ClusterError


def main() -> int:
    """Play the story on the cluster of DEMO_KUBECONFIG, else on one of its own."""
    chosen, is_kept = os.environ.get("DEMO_KUBECONFIG"), bool(os.environ.get("DEMO_KEEP"))
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        with _ground(chosen, is_kept=is_kept) as ground:
            return _show(ground, console, is_kept=is_kept)
    except (DemoError, ClusterError) as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("demo: interrupted; everything it started has been ended")
        return 130


def _ground(chosen: str | None, *, is_kept: bool) -> AbstractContextManager[Ground]:
    if chosen and is_kept:
        raise DemoError("KEEP=1 is for the local cluster; leave one of KEEP and KUBECONFIG out")
    if chosen:
        return own_ground(Path(chosen).expanduser())
    return kept_ground() if is_kept else local_ground()


def _show(ground: Ground, console: Console, *, is_kept: bool) -> int:
    stage = Stage(ground)
    started = time.monotonic()
    with _operator(ground), stage.set(is_kept=is_kept):
        with Live(console=console, auto_refresh=False) as live:
            play(stage, lambda: live.update(table_of(stage, ground.name), refresh=True))
        look(ground, console)
    wrong = not_as_told(stage)
    for act in wrong:
        console.print(f"✗ {act.name}: told was: {act.told}", style="red")
    if not wrong:
        took = time.monotonic() - started
        told = f"✓ all {len(ACTS)} executions ended as told, in {took:.0f} s"
        console.print(f"\n{told}", style="green")
    if is_kept:
        tell_next(ground, console)
    return 1 if wrong else 0


@contextmanager
def _operator(ground: Ground) -> Iterator[None]:
    """The operator as users install it, or on this machine where the cluster cannot run it."""
    if ground.operator:
        # It ends with the cluster.
        deploy(ground)
        yield
        return
    with (
        installed(ground),
        tempfile.TemporaryDirectory() as folder,
        operator(ground.kubeconfig, Path(folder) / "log"),
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())

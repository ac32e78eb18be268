"""`make demo`: play the story; exit status 0 only if every execution ended as told."""

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

from demo.deployed import deploy
from demo.ground import Ground, installed, local_ground, own_ground, run_kubectl
from demo.stage import NAMESPACE, Stage
from demo.story import ACTS, not_as_told, play
from demo.table import table_of
from demo.tools import DemoError, operator
from localcluster import ClusterError


def main() -> int:
    """Play the story on the cluster of DEMO_KUBECONFIG, else on one of its own."""
    chosen = os.environ.get("DEMO_KUBECONFIG")
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        with _ground(chosen) as ground:
            return _show(ground, console)
    except (DemoError, ClusterError) as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("demo: interrupted; everything it started has been ended")
        return 130


def _ground(chosen: str | None) -> AbstractContextManager[Ground]:
    return own_ground(Path(chosen).expanduser()) if chosen else local_ground()


def _show(ground: Ground, console: Console) -> int:
    stage = Stage(ground)
    started = time.monotonic()
    with _operator(ground), stage.set():
        with Live(console=console, auto_refresh=False) as live:
            play(stage, lambda: live.update(table_of(stage, ground.name), refresh=True))
        console.print(f"\n$ kubectl describe wfe {ACTS[-1].name} -n {NAMESPACE}", style="bold")
        console.print(_describe(ground), markup=False, highlight=False, soft_wrap=True)
    wrong = not_as_told(stage)
    for act in wrong:
        console.print(f"✗ {act.name}: told was: {act.told}", style="red")
    if not wrong:
        took = time.monotonic() - started
        console.print(f"✓ all {len(ACTS)} executions ended as told, in {took:.0f} s", style="green")
    return 1 if wrong else 0


@contextmanager
def _operator(ground: Ground) -> Iterator[None]:
    """The operator as users install it, or on this machine where the cluster cannot run it."""
    if ground.operator:
        # The cluster ends with the story, and the operator with it.
        deploy(ground)
        yield
        return
    with (
        installed(ground),
        tempfile.TemporaryDirectory() as folder,
        operator(ground.kubeconfig, Path(folder) / "log"),
    ):
        yield


def _describe(ground: Ground) -> str:
    return run_kubectl(ground, "-n", NAMESPACE, "describe", "wfe", ACTS[-1].name)


if __name__ == "__main__":
    sys.exit(main())

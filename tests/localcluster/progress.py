"""Progress for people, on standard error: live on a terminal, sparse plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)

SECONDS_BETWEEN_LINES = 20.0


class Meter:
    """How far one piece of work is; told by `update`, shown as often as the console allows."""

    def __init__(self, title: str, live: Progress | None) -> None:
        self._title = title
        self._live = live
        self._task: TaskID | None = live.add_task(title, total=None) if live else None
        self._began = self._shown = time.monotonic()
        if not live:
            console.print(f"{title} …")

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Tell what is being done now and, where countable, that `done` of `total` are finished."""
        if self._live and self._task is not None:
            self._live.update(
                self._task, description=f"{self._title}: {text}", completed=done, total=total
            )
        elif time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            count = f" ({done} of at most {total})" if total else ""
            console.print(f"{self._title}: {text}{count}, {self.seconds:.0f} s so far")

    @property
    def seconds(self) -> float:
        """Time since the work began."""
        return time.monotonic() - self._began


@contextmanager
def meter(title: str) -> Iterator[Meter]:
    """Show one piece of work while the block runs, and how long it took afterwards."""
    with _live() as live:
        shown = Meter(title, live)
        yield shown
    console.print(f"{title}: [green]done[/] in {shown.seconds:.1f} s")


@contextmanager
def _live() -> Iterator[Progress | None]:
    if not console.is_terminal:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=None),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as live:
        yield live

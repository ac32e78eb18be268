"""Progress for people, on standard error: live on a terminal, sparse plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False, soft_wrap=True)

SECONDS_BETWEEN_LINES = 20.0
COLUMNS = (
    SpinnerColumn(),
    TimeElapsedColumn(),
    BarColumn(bar_width=24),
    TextColumn("{task.fields[count]}"),
    TextColumn("{task.description}"),
)


class Meter:
    """The progress of one piece of work: set by `update`, shown by a display."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.text = ""
        self.done: int | None = None
        self.total: int | None = None
        self._began = time.monotonic()

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Tell what is being done now and, where countable, that `done` of `total` are finished."""
        self.text, self.done, self.total = text, done, total

    @property
    def seconds(self) -> float:
        """Time since the work began."""
        return time.monotonic() - self._began

    @property
    def count(self) -> str:
        """The count as text; empty where it is not known."""
        return f"{self.done} of at most {self.total}" if self.total else ""


@contextmanager
def meter(title: str) -> Iterator[Meter]:
    """Show one piece of work while the block runs, and how long it took afterwards."""
    shown = Meter(title)
    ended = threading.Event()
    show = _show_live if console.is_terminal else _show_lines
    display = threading.Thread(target=show, args=(shown, ended), daemon=True)
    display.start()
    try:
        yield shown
    finally:
        ended.set()
        display.join()
    console.print(f"{title}: [green]done[/] in {shown.seconds:.1f} s")


def _show_live(shown: Meter, ended: threading.Event) -> None:
    with Progress(*COLUMNS, console=console, transient=True) as live:
        task = live.add_task(shown.title, total=None, count="")
        while not ended.wait(0.1):
            text = f"{shown.title}: {shown.text}" if shown.text else shown.title
            live.update(
                task,
                description=text,
                completed=shown.done or 0,
                total=shown.total,
                count=shown.count,
            )


def _show_lines(shown: Meter, ended: threading.Event) -> None:
    console.print(f"{shown.title} …")
    while not ended.wait(SECONDS_BETWEEN_LINES):
        parts = [part for part in (shown.text, shown.count) if part]
        console.print(f"{shown.title}: {', '.join([*parts, f'{shown.seconds:.0f} s so far'])}")

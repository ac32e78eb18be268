"""The state directory of a cluster: who holds it, and how it is emptied."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localcluster import cgroups


def is_held(state: Path) -> bool:
    """Whether a cluster, ready or not, runs in `state`."""
    with suppress(FileNotFoundError), opened(state) as folder:
        return not try_lock(folder)
    return False


@contextmanager
def opened(state: Path) -> Iterator[int]:
    """A descriptor of the directory, to lock it with."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take the lock; it is held until every process that inherited the descriptor has ended."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clean(state: Path) -> None:
    """Remove what a cluster leaves when all its processes have ended."""
    clean_inside(state)
    state.rmdir()


def clean_inside(state: Path) -> None:
    """Empty a state directory whose cluster has ended, by itself or not."""
    cgroups.remove(state)
    for entry in state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def pid_path(state: Path) -> Path:
    """File with the keeper's process id; true only while the state directory is locked."""
    return state / "keeper.pid"

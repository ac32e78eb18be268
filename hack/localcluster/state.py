"""The state directory of a cluster: who holds it, and how it is emptied."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localcluster import cgroups
from localcluster.errors import ClusterError

MARK = ".localcluster"


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


def is_there(state: Path, descriptor: int) -> bool:
    """Whether the opened directory is still the one of that name, and not removed since."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), state.stat())
    return False


def claim_for_clusters(state: Path) -> None:
    """Mark an empty directory as a state directory, or empty one that is marked.

    Raises ClusterError for a directory that holds anything else: it would be deleted one day.
    """
    clean_inside(state)
    (state / MARK).touch()


def clean(state: Path) -> None:
    """Remove what a cluster leaves when all its processes have ended."""
    clean_inside(state)
    state.rmdir()


def clean_inside(state: Path) -> None:
    """Empty a state directory whose cluster has ended, by itself or not.

    Raises ClusterError for a directory that is not one.
    """
    if any(state.iterdir()) and not (state / MARK).exists():
        raise ClusterError(f"{state} is not the state directory of a cluster")
    cgroups.remove(state)
    for entry in set(state.iterdir()) - {state / MARK}:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # Last: without its mark a directory that is half empty could never be emptied again.
    (state / MARK).unlink(missing_ok=True)


def pid_path(state: Path) -> Path:
    """File with the keeper's process id; true only while the state directory is locked."""
    return state / "keeper.pid"

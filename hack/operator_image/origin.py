"""The origin of the operator in an image: a revision of a repository."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from localcluster.errors import ClusterError
from localcluster.request import REPOSITORY
from operator_image.part import extract

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """A tree of sources; `revision` is its commit, with `-dirty` where it differs from that."""

    tree: Path
    revision: str
    url: str


def working_tree() -> Origin:
    """This checkout as it is; revision and url are `unknown` where git does not know them."""
    commit = _git("rev-parse", "HEAD") or UNKNOWN
    changed = "-dirty" if _git("status", "--porcelain") else ""
    return Origin(REPOSITORY, commit + changed, _url())


@contextmanager
def at(revision: str) -> Iterator[Origin]:
    """Another revision of this checkout, unpacked for the block.

    Raises ClusterError where there is none such.
    """
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not commit:
        raise ClusterError(f"there is no revision {revision} in {REPOSITORY}")
    packed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "archive", commit], capture_output=True, check=True
    )
    with TemporaryDirectory() as folder:
        extract(io.BytesIO(packed.stdout), Path(folder))
        yield Origin(Path(folder), commit, _url())


def _url() -> str:
    """The repository's address on the web, from the remote that it was cloned from."""
    remote = _git("config", "remote.origin.url")
    return remote.removesuffix(".git") if remote.startswith("https://") else UNKNOWN


def _git(*arguments: str) -> str:
    """The output of git; empty where there is no git, no repository or no answer."""
    try:
        done = subprocess.run(
            ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

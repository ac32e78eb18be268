"""Compiled modules, made with the image: a container with a read-only root cannot keep its own."""

from __future__ import annotations

from pathlib import Path

from debian_packages.archive import run


def compile_all(interpreter: Path, folder: Path, root: Path) -> None:
    """Compile all modules under `folder` of the tree at `root`, the same bytes each time.

    `interpreter` is of the Python that is to read them. They are never compared with their
    sources, whose times a layer does not keep. Raises ClusterError where one does not compile.
    """
    names = (f"-s{root}", "-p/", "--invalidation-mode=unchecked-hash")
    run(str(interpreter), "-I", "-S", "-m", "compileall", "-qq", *names, str(folder))

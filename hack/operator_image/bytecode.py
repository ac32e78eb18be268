"""Compiled modules, made with the image: a container with a read-only root cannot keep its own."""

from __future__ import annotations

import compileall
from pathlib import Path
from py_compile import PycInvalidationMode


def compile_all(folder: Path, root: Path) -> None:
    """Compile all modules under `folder` of the tree at `root`, the same bytes each time.

    They are never compared with their sources, whose times a layer does not keep.
    """
    compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=str(root),
        prependdir="/",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )

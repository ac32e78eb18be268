"""The operator as it is shipped: from its image's tree, with that interpreter, as in a pod.

The interpreter of a developer's machine may be built without optimisation, and loads what a pod
does not need. What measures runs on the same one, so that the floors are no slower.
Run as a program with a tree, folders to share and a command, it runs the command in that tree.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_OPERATOR = "/usr/local/bin/wfe"
_SOURCES, _TOOLS = "/src", "/tools"
_ROOTS = ("hack", "tests", "tests/support")
# Tools that the image does not have. They come last: those of another Python cannot be loaded.
_ROLE = f"""
import runpy, sys
sys.path.append("{_TOOLS}")
runpy.run_module("benchmarks.roles", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The tree of an image; `account` holds what kubelet would put into the pod.

    `shared` is a folder that is there in the tree, too, under the same name.
    """

    tree: Path
    account: Path
    shared: Path

    def operator(self) -> list[str]:
        """The command that is the image's entry point, without arguments."""
        return [*self._enter(), _interpreter(), _OPERATOR]

    def role(self, name: str) -> list[str]:
        """The command that plays a role of the benchmarks."""
        return [*self._enter(), _interpreter(), "-c", _ROLE, name]

    def _enter(self) -> list[str]:
        folders = (str(folder) for folder in (self.tree, self.account, self.shared))
        return [sys.executable, str(Path(__file__)), *folders]


def _interpreter() -> str:
    """The image's Python. Imported here: as a program, this file sets its own path first."""
    from operator_image.debian import PROGRAM

    return PROGRAM


def path_for_roles() -> str:
    """PYTHONPATH of a role: what is here."""
    return os.pathsep.join(f"{_SOURCES}/{root}" for root in _ROOTS)


def path_for_probe() -> str:
    """PYTHONPATH of an operator that is looked into."""
    return f"{_SOURCES}/tests/benchmarks/probe/site"


def main() -> None:
    """Become the command, in the tree."""
    sys.path[:0] = [str(_REPOSITORY / root) for root in _ROOTS]
    from harness.account_files import PLACE
    from localcluster import sandbox

    tree, account, shared, *command = sys.argv[1:]
    sandbox.enter_mounts()
    for kind, place in (("proc", "proc"), ("tmpfs", "tmp"), ("tmpfs", "var/run")):
        sandbox.mount(kind, _made(tree, place), kind)
    tools = sysconfig.get_path("purelib")
    for source, place in (
        ("/dev", "dev"),
        (str(_REPOSITORY), _SOURCES),
        (tools, _TOOLS),
        (shared, shared),
        (account, str(PLACE)),
    ):
        sandbox.mount(source, _made(tree, place), "", sandbox.MS_BIND)
    os.chroot(tree)
    os.chdir("/")
    os.execv(command[0], command)


def _made(tree: str, place: str) -> Path:
    path = Path(tree) / place.lstrip("/")
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()

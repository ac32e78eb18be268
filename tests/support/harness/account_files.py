"""Puts the files of a ServiceAccount where kubelet puts them in a pod.

Run as a program with a folder and a command, it runs the command in a mount namespace of its own,
in which the folder is in that place.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

PLACE = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HACK = Path(__file__).parents[3] / "hack"


class AccountFiles:
    """A token and a certificate authority; both are replaced at once, as kubelet does it."""

    def __init__(self, folder: Path, token: str, authority: bytes) -> None:
        self._folder = folder
        self._numbers = count()
        folder.mkdir()
        self.replace(token, authority)
        for name in ("token", "ca.crt"):
            (folder / name).symlink_to(f"..data/{name}")

    def replace(self, token: str, authority: bytes) -> None:
        """Put others in their place; there is no moment without."""
        version = self._folder / f"..{next(self._numbers)}"
        version.mkdir()
        (version / "token").write_text(token)
        (version / "ca.crt").write_bytes(authority)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self._folder / "..data")

    def command(self, port: int) -> tuple[list[str], dict[str, str]]:
        """The words before a command that run it in such a pod, and its environment."""
        prefix = [sys.executable, str(Path(__file__)), str(self._folder)]
        paths = os.pathsep.join([str(_HACK), *filter(None, [os.environ.get("PYTHONPATH")])])
        return prefix, {"PYTHONPATH": paths, **in_pod(port)}


def in_pod(port: int) -> dict[str, str]:
    """The variables that kubelet sets in a pod for an API server on this machine.

    A kubeconfig would win; an empty one says nothing.
    """
    return {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(port),
        "KUBECONFIG": os.devnull,
    }


def main() -> None:
    """Become the command, with the folder in its place."""
    from localcluster import sandbox

    folder, *command = sys.argv[1:]
    sandbox.enter_mounts()
    # Not everywhere is there anything in the place; what is above it is covered, here only.
    sandbox.mount("tmpfs", os.path.realpath("/var/run"), "tmpfs")
    PLACE.mkdir(parents=True)
    sandbox.mount(folder, PLACE, "", sandbox.MS_BIND)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()

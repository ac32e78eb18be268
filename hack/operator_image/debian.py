"""The image's base: the interpreter and what it needs, as packages of a Debian release.

There is no shell and no package manager in the result.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from debian_packages.archive import Archive, run, unpack
from debian_packages.interpreter import RELEASES, interpreter
from operator_image.bytecode import compile_all
from operator_image.part import Component, Part, cached

# The newest that a stable release of Debian has.
PYTHON = "3.13"
DISTRO = "debian-13"
PROGRAM = f"/usr/bin/python{PYTHON}"
WANTED = (
    "base-files",
    f"python{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    # Wheels with C++ in them are linked with both, and do without their C++ where one is missing.
    "libgcc-s1",
    "libstdc++6",
)
# Only maintainer scripts need these.
LEFT_OUT = {"debconf", "mawk"}
NOT_KEPT = ("usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian")
USER = 65532
ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nwfe:x:{USER}:{USER}:wfe:/tmp:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nwfe:x:{USER}:\n",
}


def base(cache: Path, architecture: str) -> Part:
    """The Debian part of the image, of the newest packages that the archive has.

    `architecture` is `amd64` or `arm64`, also on a machine of the other one.
    Raises ClusterError where this machine is no Debian.
    """
    release = RELEASES[PYTHON]
    archive = Archive(cache / f"apt-{release}-{architecture}", release, architecture, WANTED)
    compiler = interpreter(cache, PYTHON)
    with archive.alone():
        packages = archive.resolve()
        ingredients = [*packages, *ACCOUNTS.values(), *sorted(LEFT_OUT), *NOT_KEPT]

        def fill(tree: Path) -> list[Component]:
            return _fill(tree, archive.download(), compiler)

        return cached(cache, f"base-{architecture}", ingredients, fill)


def _fill(tree: Path, packages: Sequence[Path], compiler: Path) -> list[Component]:
    kept = [path for path in packages if path.name.split("_")[0] not in LEFT_OUT]
    components = [_unpack(path, tree) for path in kept]
    for folder in NOT_KEPT:
        shutil.rmtree(tree / folder, ignore_errors=True)
    for name, text in ACCOUNTS.items():
        (tree / name).write_text(text)
    compile_all(compiler, tree / f"usr/lib/python{PYTHON}", tree)
    return components


def _unpack(package: Path, tree: Path) -> Component:
    """Unpack one package, and record it for scanners in the way of images without dpkg."""
    fields = unpack(package, tree)
    records = tree / "var/lib/dpkg/status.d"
    records.mkdir(parents=True, exist_ok=True)
    control = run("dpkg-deb", "--field", str(package)).strip()
    (records / fields["Package"]).write_text(f"{control}\nStatus: install ok installed\n")
    return Component("deb", fields["Package"], fields["Version"])

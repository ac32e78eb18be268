"""Build the pinned programs once into a cache that many checkouts and processes can share.

A finished program appears in the cache by an atomic rename, so a program in it is complete. An
interrupted build resumes at the packages that Go's own build cache does not have yet.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localcluster import toolchain
from localcluster.errors import ClusterError
from localcluster.programs import MODULES, TEKTON_MODULE, Program
from localcluster.progress import Meter, meter
from localcluster.services import dying_with_parent

LOCK_POLL_SECONDS = 0.5
# Prometheus brings a client for every cloud that it can find targets in; a third of its build.
TAGS = {"prometheus": "remove_all_sd"}


def default_cache() -> Path:
    """The cache directory: WFE_CACHE, else one in the user's cache directory."""
    if chosen := os.environ.get("WFE_CACHE"):
        return Path(chosen).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "workflowexecution-localcluster"


@dataclass
class Builder:
    """Builds programs of the modules under `modules` into `cache`; `path_of` finds them again."""

    cache: Path = field(default_factory=default_cache)
    modules: Path = MODULES
    _go: Path | None = None

    def build(self, programs: Iterable[Program]) -> None:
        """Make sure that every program is in the cache. Raises ClusterError if one cannot be."""
        missing = [program for program in programs if not self.path_of(program).exists()]
        for number, program in enumerate(missing, 1):
            with meter(f"building {program.name} ({number} of {len(missing)})") as shown:
                self._build_one(program, shown)

    def path_of(self, program: Program) -> Path:
        """The path of the built program, also before it is built."""
        return _supplied(program.name) or self.home_of(program.module) / program.name

    def home_of(self, module: str) -> Path:
        """Cache folder of one module, named by everything that decides what is built from it."""
        folder = self.modules / module
        own = sorted(path.name for path in folder.glob("*.go"))
        parts = [(folder / name).read_bytes() for name in ("go.mod", "go.sum", *own)]
        parts.append(repr(self._flags(module)).encode())
        parts.append(f"{sys.platform} {platform.machine()}".encode())
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
        return self.cache / f"{module}-{digest[:12]}"

    def tekton_config(self) -> Path:
        """Tekton's own manifests (`config/` of its module), copied into the cache.

        Raises ClusterError if the module cannot be downloaded.
        """
        home = self.home_of("tekton")
        copied = home / "config"
        if copied.exists():
            return copied
        with meter("fetching Tekton's manifests") as shown, self._locked(home, shown):
            if not copied.exists():
                scratch = home / "config.part"
                shutil.rmtree(scratch, ignore_errors=True)
                source = self._module_folder("tekton", TEKTON_MODULE) / "config"
                shutil.copytree(source, scratch, copy_function=shutil.copyfile)
                # Go's module cache is read-only; a copy that cannot be deleted would be a trap.
                for folder in (scratch, *scratch.rglob("*/")):
                    folder.chmod(0o755)
                scratch.rename(copied)
        return copied

    def _build_one(self, program: Program, shown: Meter) -> None:
        target = self.path_of(program)
        with self._locked(target.parent, shown) as lock:
            if target.exists():
                return
            part = target.with_name(f".{program.name}.part")
            shown.update("counting its packages, downloading the modules that are missing")
            flags = self._flags(program.module)
            tags = [flag for flag in flags if flag.startswith("-tags=")]
            listed = self._call(program.module, "list", *tags, "-deps", program.package)
            total = len(listed.split())
            command = [str(self._found_go()), "build", "-v", *flags]
            self._watch([*command, "-o", str(part), program.package], program, total, shown, lock)
            part.replace(target)

    def _watch(
        self, command: list[str], program: Program, total: int, shown: Meter, lock: int
    ) -> None:
        """Run `go build -v`, which names each package when it is compiled."""
        tail: deque[str] = deque(maxlen=30)
        building = subprocess.Popen(
            # Should we be killed, the compiler ends too; until it has, it keeps the lock.
            dying_with_parent(command),
            cwd=self.modules / program.module,
            env=toolchain.environment(),
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[lock],
        )
        assert building.stderr
        with building:
            for number, line in enumerate(building.stderr, 1):
                tail.append(line)
                shown.update(line.strip(), min(number, total), total)
        if building.returncode:
            raise ClusterError(f"building {program.name} failed", detail="".join(tail))

    def _flags(self, module: str) -> list[str]:
        stamp = _version_stamp((self.modules / module / "go.mod").read_text())
        tags = [f"-tags={TAGS[module]}"] if module in TAGS else []
        return [
            "-trimpath",
            "-gcflags=all=-dwarf=false",
            f"-ldflags=-s -w {stamp}".strip(),
            *tags,
        ]

    def _module_folder(self, module: str, path: str) -> Path:
        self._call(module, "mod", "download", path)
        return Path(self._call(module, "list", "-m", "-f", "{{.Dir}}", path).strip())

    def _call(self, module: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._found_go(), *arguments],
            cwd=self.modules / module,
            env=toolchain.environment(),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ClusterError(f"go {' '.join(arguments)} failed", detail=done.stderr[-4000:])
        return done.stdout

    def _found_go(self) -> Path:
        self._go = self._go or toolchain.find_go(self.cache)
        return self._go

    @contextmanager
    def _locked(self, home: Path, shown: Meter) -> Iterator[int]:
        """Hold the only right to write into `home`; freed by the kernel if this process dies."""
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".lock").open("w") as lock:
            while not _try_lock(lock.fileno()):
                shown.update("waiting for another process that builds the same module")
                time.sleep(LOCK_POLL_SECONDS)
            yield lock.fileno()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _supplied(name: str) -> Path | None:
    """The program from KUBEBUILDER_ASSETS, where that is set and has it."""
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    path = Path(folder, name) if folder else None
    return path if path and path.is_file() else None


def _version_stamp(go_mod: str) -> str:
    """Linker flags that tell Kubernetes programs their version: without it Tekton refuses them."""
    match = re.search(r"k8s\.io/kubernetes v(\d+)\.(\d+)\.(\S+)", go_mod)
    if not match:
        return ""
    version = f"v{match[1]}.{match[2]}.{match[3]}"
    base = "k8s.io/component-base/version"
    values = {
        f"{base}.gitVersion": version,
        f"{base}.gitMajor": match[1],
        f"{base}.gitMinor": match[2],
        "k8s.io/client-go/pkg/version.gitVersion": version,
    }
    return " ".join(f"-X {name}={value}" for name, value in values.items())

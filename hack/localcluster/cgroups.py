"""Control groups of one cluster: a subtree of its own, seen from inside as the whole tree.

Works on version 1 (one hierarchy for each controller), version 2, and both beside each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localcluster import sandbox

MS_BIND = 0x1000
REMOVE_SECONDS = 5.0
RECORD = "cgroups.json"


@dataclass(frozen=True)
class Hierarchy:
    """One mounted hierarchy: where it is mounted, and the group in it that this process is in."""

    mounted: Path
    current: Path
    unified: bool


def name_for(state: Path) -> str:
    """Name of the groups of the cluster in `state`, which no other cluster has."""
    return f"wfe-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"


def create(state: Path) -> None:
    """Make the cluster's group in every hierarchy, and note in `state` where."""
    groups = [_create_in(hierarchy, name_for(state)) for hierarchy in _hierarchies()]
    (state / RECORD).write_text(json.dumps([str(group) for group in groups]))


def enter(name: str) -> None:
    """Move this process into the groups `name` and make them all that it can see.

    To be called in a mount namespace of its own.
    """
    found = _hierarchies()
    for hierarchy in found:
        (_group(hierarchy, name) / "cgroup.procs").write_text("0")
    sandbox.unshare(sandbox.CLONE_NEWCGROUP)
    for hierarchy in found:
        sandbox.mount(str(_group(hierarchy, name)), hierarchy.mounted, "", MS_BIND)
        if hierarchy.unified:
            _delegate(hierarchy.mounted)


def remove(state: Path) -> None:
    """Remove the groups noted in `state`, whose processes have all been killed."""
    with contextlib.suppress(FileNotFoundError):
        for group in json.loads((state / RECORD).read_text()):
            _remove_tree(Path(group))


def _create_in(hierarchy: Hierarchy, name: str) -> Path:
    group = _group(hierarchy, name)
    group.mkdir(exist_ok=True)
    # A new cpuset is empty, and nothing can run in an empty one.
    for setting in ("cpuset.cpus", "cpuset.mems"):
        if not hierarchy.unified and (group / setting).exists():
            (group / setting).write_text((group.parent / setting).read_text())
    if hierarchy.unified:
        _enable_controllers(group.parent)
    return group


def _group(hierarchy: Hierarchy, name: str) -> Path:
    # In version 2 a group with processes cannot give controllers to its children, but the root.
    return (hierarchy.mounted if hierarchy.unified else hierarchy.current) / name


def _delegate(root: Path) -> None:
    """Version 2: leave the root, so that its controllers can be given to its children."""
    leaf = root / "programs"
    leaf.mkdir()
    (leaf / "cgroup.procs").write_text("0")
    _enable_controllers(root)


def _enable_controllers(group: Path) -> None:
    for controller in (group / "cgroup.controllers").read_text().split():
        # One that cannot be delegated here only means that its limits are not enforced.
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def _remove_tree(group: Path) -> None:
    deadline = time.monotonic() + REMOVE_SECONDS
    for folder, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                break
            except OSError:
                # Killed processes leave their group a moment after they are gone otherwise.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break


def _hierarchies() -> list[Hierarchy]:
    paths = dict(_memberships())
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, mounted = before.split()[3:5]
        if kind not in ("cgroup", "cgroup2"):
            continue
        unified = kind == "cgroup2"
        keys = [""] if unified else options.split(" ")[-1].split(",")
        path = next((paths[key] for key in keys if key in paths), "/")
        inside = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path()
        found.append(Hierarchy(Path(mounted), Path(mounted) / inside, unified))
    return found


def _memberships() -> Iterator[tuple[str, str]]:
    """Pairs of a controller (`name=…` for a named hierarchy, empty for version 2) and a path."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path

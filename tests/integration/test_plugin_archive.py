"""krew installs `kubectl wfe` from the archive that its manifest names, and it runs."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest
import yaml

from localcluster.build import Builder
from localcluster.programs import KREW, KUBECTL
from localcluster.request import REPOSITORY
from plugin_archive.archive import PLATFORMS, write_archive
from plugin_archive.manifest import build_manifest
from workflowexecution import __version__

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
HERE = next(item for item in PLATFORMS if (item.os, item.arch) == ("linux", ARCH))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Krew's folder, with the plugin installed into it."""
    folder = tmp_path_factory.mktemp("krew")
    digest = write_archive(REPOSITORY, HERE, folder)
    digests = {item: digest if item is HERE else "0" * 64 for item in PLATFORMS}
    manifest = folder / "wfe.yaml"
    manifest.write_text(yaml.safe_dump(build_manifest(__version__, "https://a.example", digests)))
    builder = Builder()
    builder.build([KREW, KUBECTL])
    done = subprocess.run(
        [
            builder.path_of(KREW),
            "install",
            f"--manifest={manifest}",
            f"--archive={folder / HERE.archive}",
        ],
        env={**os.environ, "KREW_ROOT": str(folder / "root"), "KREW_NO_UPGRADE_CHECK": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "root"


def test_kubectl_runs_what_krew_has_installed(root: Path) -> None:
    found = os.pathsep.join([str(root / "bin"), os.environ["PATH"]])
    told = subprocess.run(
        [Builder().path_of(KUBECTL), "wfe", "list", "--kubeconfig=/nowhere"],
        env={"PATH": found, "HOME": str(root)},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert "no usable kubeconfig" in told.stderr


def test_what_completes_it_is_beside_it(root: Path) -> None:
    (program,) = root.glob("store/wfe/*/kubectl_complete-wfe")
    told = subprocess.run([program, "des"], capture_output=True, text=True)
    assert [line.partition("\t")[0] for line in told.stdout.splitlines()] == ["describe", ":4"]
    assert (program.parent / "LICENSE").exists()

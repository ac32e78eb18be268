"""`make release-artifacts` makes a complete release, the same each time, and of one version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from build_version import image_tag, semantic, version_of_checkout
from localcluster import checkers
from localcluster.cluster import Cluster
from localcluster.programs import CRANE, HELM
from localcluster.request import REPOSITORY
from operator_image.part import extract
from release_artifacts.artifacts import SUMS, TEKTON, make
from workflowexecution.bundles.folder import read_bundle
from workflowexecution.bundles.packing import pack

IMAGE = "registry.example.com/kubernaut/workflowexecution-operator"
OPERATORS_ONLY = ("aiohttp", "kubernetes", "msgspec", "prometheus_client", "structlog", "yaml")
KIT = """
import importlib.metadata, importlib.util, json, sys
from workflowexecution.orchestrator import build_json_schema, build_target_resource
print(json.dumps({
    "target": build_target_resource("payment", "Deployment", "api"),
    "kind": build_json_schema()["title"],
    "there": sorted(one.metadata["Name"].lower() for one in importlib.metadata.distributions()),
    "loaded": sorted(set(sys.modules) & set(sys.argv[1:])),
}))
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all artifacts."""
    folder = tmp_path_factory.mktemp("release")
    make(folder, IMAGE)
    return folder


def test_it_is_complete(release: Path) -> None:
    names = {path.name for path in release.iterdir()}

    overlays = {path.name for path in (REPOSITORY / "manifests/overlays").glob("*")}
    assert {f"install-{name}.yaml" for name in overlays} < names
    bundles = {path.parent.name for path in TEKTON.glob("*/workflow.yaml")}
    assert {f"bundle-{name}.tar" for name in bundles} < names
    assert {"install.yaml", "crd.yaml", "namespaces.yaml", "sbom.cdx.json"} < names
    assert sorted(path.suffix for path in release.glob("workflowexecution*")) == [
        ".gz",
        ".tgz",
        ".whl",
    ]
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", SUMS], cwd=release, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert {line.partition(":")[0] for line in checked.stdout.splitlines()} == names - {SUMS}


def test_the_same_checkout_makes_the_same_bytes(release: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again", IMAGE)

    assert again.splitlines() == (release / SUMS).read_text().splitlines()


def test_manifests_and_chart_name_the_image_of_this_version(release: Path) -> None:
    version = version_of_checkout()
    (package,) = release.glob("*.tgz")
    shown = yaml.safe_load(checkers.run(HELM, "show", "chart", str(package)).stdout)
    made = checkers.run(HELM, "template", "x", str(package), "--kube-version=1.36.0")
    texts = [made.stdout, *(path.read_text() for path in release.glob("install*.yaml"))]

    assert (shown["version"], shown["appVersion"]) == (semantic(version), image_tag(version))
    (image,) = yaml.safe_load(shown["annotations"]["artifacthub.io/images"])
    assert image["image"] == f"{IMAGE}:{image_tag(version)}"
    for text in texts:
        (operator,) = [item for item in yaml.safe_load_all(text) if _is_operator(item)]
        (container,) = operator["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"{IMAGE}:{image_tag(version)}"


def test_the_source_makes_the_same_wheel_without_git(release: Path, tmp_path: Path) -> None:
    (source,) = release.glob("*.tar.gz")
    (wheel,) = release.glob("*.whl")
    _run(*_pip(), "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={tmp_path}", source)

    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()
    with tarfile.open(source) as archive:
        kept = {name.split("/")[1] for name in archive.getnames()}
    assert kept - {".gitignore"} == {
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "operator",
        "pyproject.toml",
    }


def test_the_wheel_tells_that_it_is_typed_and_where_it_is_from(release: Path) -> None:
    (wheel,) = release.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        told = archive.read(metadata).decode()

    assert "workflowexecution/py.typed" in names
    assert "Project-URL: Source, https://" in told
    assert f"Version: {version_of_checkout()}\n" in told


def test_authors_need_the_wheel_alone(release: Path, tmp_path: Path) -> None:
    """The wheel has all that `wfe bundle new` writes, and the scripts that bundles share."""
    (wheel,) = release.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
    # The coverage of what is deleted with this test could not be reported.
    unmeasured = {key: text for key, text in os.environ.items() if not key.startswith("COVERAGE")}
    from_wheel = {**unmeasured, "PYTHONPATH": str(tmp_path / "wheel")}
    for arguments in (["new", "set-note"], ["lint", "set-note"], ["render", "set-note"]):
        done = subprocess.run(
            [sys.executable, "-m", "workflowexecution", "bundle", *arguments],
            env=from_wheel,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert "nothing_to_do()" in done.stdout
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "set-note"], env=from_wheel, cwd=tmp_path
    )
    assert tested.returncode == 0


def test_an_orchestrator_gets_nothing_of_the_operator(release: Path, tmp_path: Path) -> None:
    (wheel,) = release.glob("*.whl")
    _run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    _run(python, *_pip()[1:], "install", wheel)

    seen = json.loads(_run(python, "-c", KIT, *OPERATORS_ONLY))
    refused = subprocess.run([tmp_path / "venv/bin/wfe", "version"], capture_output=True, text=True)

    assert (seen["target"], seen["kind"]) == ("payment/Deployment/api", "WorkflowExecution")
    assert seen["loaded"] == []
    assert set(seen["there"]) - {"pip", "setuptools"} == {
        "annotated-types",
        "pydantic",
        "pydantic_core",
        "typing-inspection",
        "typing_extensions",
        "workflowexecution-operator",
    }
    assert refused.returncode == 1
    assert "pip install 'workflowexecution-operator[operator]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_version_is_that_of_the_tag_and_counts_on_from_it(tmp_path: Path) -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("there is no history here")
    clone = tmp_path / "clone"
    _run("git", "clone", "--quiet", "--no-tags", REPOSITORY, clone)
    git = ("git", "-C", clone, "-c", "user.name=x", "-c", "user.email=x@y")

    assert _version(clone).startswith("0.1.dev")
    _run(*git, "tag", "v3.4.5")
    assert _version(clone) == "3.4.5"
    _run(*git, "commit", "--quiet", "--allow-empty", "--message=more")
    assert _version(clone).startswith("3.4.6.dev1+g")
    packed = tmp_path / "packed"
    packed.mkdir()
    _run(*git, "archive", f"--output={packed}/all.tar", "v3.4.5")
    _run("tar", "--extract", f"--directory={packed}", f"--file={packed}/all.tar")
    assert _version(packed) == "3.4.5"


def test_a_bundle_is_pushed_from_its_file_as_from_its_folder(
    release: Path, tekton_cluster: Cluster, tmp_path: Path
) -> None:
    with (release / "bundle-restart-workload.tar").open("rb") as stream:
        extract(stream, tmp_path)
    reference = f"{tekton_cluster.registry}/release/restart-workload:1"
    pushed = checkers.run(CRANE, "push", str(tmp_path), reference)

    assert pushed.returncode == 0, pushed.stderr
    image = pack(read_bundle(TEKTON / "restart-workload").objects)
    assert pushed.stdout.strip().endswith(f"@{image.manifest.digest}")


def _is_operator(item: Any) -> bool:
    return bool(item) and item["kind"] == "Deployment"


def _version(tree: Path) -> str:
    return _run(sys.executable, "-m", "hatchling", "version", at=tree).strip()


def _pip() -> tuple[str, ...]:
    return (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def _run(*command: str | Path, at: Path | None = None) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout

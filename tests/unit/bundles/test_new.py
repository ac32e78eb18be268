"""`wfe bundle new` makes a bundle that is good, and whose own test passes and can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from workflowexecution.bundles.folder import SCRIPTS, bundles_at, read_bundle
from workflowexecution.bundles.rehearsal import Rehearsal
from workflowexecution.cli import commands

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]
SHARED = "workflow.yaml parameters.json role.yaml README.md remediate.sh workflow.schema.json"


@pytest.fixture
def made(tmp_path: Path, capsys: Output) -> Path:
    folder = tmp_path / "bundles" / "set-note"
    assert commands.main(["bundle", "new", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == sorted(f"{folder}/{name}" for name in [*SHARED.split(), "test_set_note.py"])
    return folder


def test_a_new_bundle_passes_lint_and_leaves_no_placeholder(made: Path) -> None:
    assert commands.main(["bundle", "lint", str(made)]) == 0
    for path in made.iterdir():
        assert "@NAME@" not in path.read_text(), path


def test_the_test_of_a_new_bundle_passes_and_sees_what_is_broken(made: Path) -> None:
    done = _pytest(made)
    assert done.returncode == 0, done.stdout

    script = made / "remediate.sh"
    script.write_text(script.read_text().replace('fail $NOT_SEEN "', 'echo "'))
    done = _pytest(made)
    assert (done.returncode, "1 failed, 4 passed" in done.stdout) == (1, True), done.stdout


def _pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the test of a bundle as its author does, with the package on the path."""
    path = os.pathsep.join(filter(None, [str(ROOT / "operator"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder.name],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_editors_find_the_schemas_of_a_new_bundle(made: Path, capsys: Output) -> None:
    first = (made / "workflow.yaml").read_text().splitlines()[0]
    key, _, schema = first.partition("$schema=")
    assert key == "# yaml-language-server: "
    assert json.loads((made / schema).read_text())["properties"]["kind"] == {"const": "Pipeline"}
    assert json.loads((made / "parameters.json").read_text())["$schema"]
    capsys.readouterr()
    assert commands.main(["schema", "bundle"]) == 0
    assert capsys.readouterr().out == (made / schema).read_text()


@pytest.mark.parametrize("name", ["Set-note", "set_note", "x" * 64, "-x"])
def test_a_name_that_no_bundle_can_have_is_refused(
    tmp_path: Path, name: str, capsys: Output
) -> None:
    assert commands.main(["bundle", "new", str(tmp_path / name)]) == 2
    assert f"name {name!r} must be lower case letters" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(made: Path, capsys: Output) -> None:
    before = {path: path.read_text() for path in made.iterdir()}
    assert commands.main(["bundle", "new", str(made)]) == 2
    assert "is there already; name a new folder" in capsys.readouterr().err
    assert {path: path.read_text() for path in made.iterdir()} == before


def test_shared_scripts_come_with_the_package_unless_the_author_has_their_own(made: Path) -> None:
    def script() -> str:
        pipeline = read_bundle(made).pipeline
        assert pipeline
        steps = pipeline["spec"]["tasks"][0]["taskSpec"]["steps"]
        return str(steps[0]["script"])

    assert (SCRIPTS / "toolbox.sh").read_text().rstrip("\n") in script()
    (made.parent / "toolbox.sh").write_text("own text of several bundles\n")
    assert "own text of several bundles" in script()
    (made / "toolbox.sh").write_text("own text of one bundle\n")
    assert "own text of one bundle" in script()


def test_lint_takes_files_and_folders_of_bundles(made: Path, capsys: Output) -> None:
    other = made.parent / "other"
    assert commands.main(["bundle", "new", str(other)]) == 0
    (made / "README.md").unlink()
    shared = made.parent / "shared.sh"
    shared.write_text("")
    assert bundles_at(made.parent) == bundles_at(shared) == [other, made]
    capsys.readouterr()
    for paths, problems, bundles in (
        ([made / "role.yaml", made / "workflow.yaml", made], 1, 1),
        ([other / "role.yaml"], 0, 1),
        ([made.parent], 1, 2),
        ([shared], 1, 2),
    ):
        status = commands.main(["bundle", "lint", *map(str, paths)])
        said = capsys.readouterr()
        assert status == bool(problems)
        assert len(said.out.splitlines()) == problems
        assert not problems or f"{problems} problems in {bundles} bundles" in said.err


def test_a_rehearsal_names_what_the_bundle_does_not_have(made: Path, tmp_path: Path) -> None:
    run = Rehearsal(folder=made, home=tmp_path, target="shop/Deployment/cart")
    with pytest.raises(KeyError, match="has no step 'undo'"):
        run.run("undo")
    run.parameters["NOTES"] = "x"
    with pytest.raises(KeyError, match="has no parameter NOTES"):
        run.run("check")


def test_the_hook_for_other_repositories_is_valid_and_runs(made: Path, tmp_path: Path) -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    checked = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(manifest)],
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout
    (hook,) = yaml.safe_load(manifest.read_text())
    program, *arguments = hook["entry"].split()
    assert program == "wfe"
    files = [str(path) for path in sorted(made.iterdir()) if path.suffix in (".yaml", ".sh")]
    assert commands.main([*arguments, *files]) == 0
    (made / "role.yaml").unlink()
    assert commands.main([*arguments, *files]) == 1

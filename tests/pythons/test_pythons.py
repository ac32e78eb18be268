"""Each Python that is promised: the wheel installs there, all of it is imported, and tests pass.

By itself this runs the tests that depend most on the interpreter, and leaves the Python of this
run to the other levels. `make pythons` sets WFE_PYTHONS to `all` or to one version: then each runs
unit and property tests and some against a real API server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localcluster.progress import meter
from localcluster.request import REPOSITORY
from operator_image.python import build_wheel
from python_versions.environment import Environment, make_environment
from python_versions.find import NoPythonError, supported

WANTED = os.environ.get("WFE_PYTHONS", "")
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
QUICK = ("unit/api", "unit/core", "unit/kube/test_kubeconfig.py", "unit/kube/test_strict_tls.py")
EVERYTHING = {
    "unit": ("unit",),
    "property": ("property",),
    "integration": (
        "integration/test_lifecycle.py",
        "integration/test_process.py",
        "integration/test_requests.py",
        "integration/plugin",
    ),
}
IMPORT_ALL = """
import importlib, pkgutil, workflowexecution
here = workflowexecution.__path__
names = [one.name for one in pkgutil.walk_packages(here, "workflowexecution.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), workflowexecution.__file__)
"""
LIMIT_S = 1800


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(REPOSITORY, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=supported())
def environment(
    request: pytest.FixtureRequest, wheel: Path, pytestconfig: pytest.Config
) -> Environment:
    python: str = request.param
    if python == HERE and not WANTED:
        pytest.skip("the other levels run on this one")
    if WANTED not in ("", "all", python):
        pytest.skip(f"ONLY={WANTED}")
    try:
        with told(pytestconfig, f"Python {python}: environment"):
            return make_environment(python, wheel)
    except NoPythonError as error:
        pytest.skip(error.message)


def test_the_wheel_installs_and_all_of_it_is_imported(environment: Environment) -> None:
    count, place = run(environment, "-I", "-c", IMPORT_ALL).split()

    assert int(count) > 100
    assert Path(place).is_relative_to(environment.folder)
    for program in ("wfe", "kubectl-wfe"):
        done = subprocess.run(
            [environment.folder / "bin" / program, "--help"],
            env=environment.variables(),
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(bool(WANTED), reason="all of them run")
def test_the_tests_that_depend_most_on_the_interpreter_pass(
    environment: Environment, pytestconfig: pytest.Config
) -> None:
    passed(environment, pytestconfig, "quick tests", QUICK)


@pytest.mark.skipif(not WANTED, reason="make pythons runs them")
@pytest.mark.parametrize("level", EVERYTHING)
def test_a_level_passes(environment: Environment, level: str, pytestconfig: pytest.Config) -> None:
    passed(environment, pytestconfig, level, EVERYTHING[level])


def passed(
    environment: Environment, config: pytest.Config, what: str, paths: tuple[str, ...]
) -> None:
    """Run these tests there, and see that some passed and none failed."""
    version = environment.folder.name
    # Its profile for CI knows no deadlines, which a machine that does much else cannot keep.
    how = ("-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci")
    asked = (*how, *(f"tests/{path}" for path in paths))
    with told(config, f"Python {version}: {what}"):
        printed = run(environment, "-m", "pytest", *asked)
    assert re.search(r"\d+ passed", printed), printed[-500:]


def run(environment: Environment, *arguments: str) -> str:
    done = subprocess.run(
        [environment.python, *arguments],
        cwd=REPOSITORY,
        env=environment.variables(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@contextmanager
def told(config: pytest.Config, what: str) -> Iterator[None]:
    """Show people what goes on while the block runs."""
    capture = config.pluginmanager.getplugin("capturemanager")
    assert capture
    with capture.global_and_fixture_disabled(), meter(what):
        yield

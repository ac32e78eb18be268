"""The interpreter in the image passes the unit tests, with the requirements that are in the image.

The tests run in the image's own tree; only they and their tools come from this checkout.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from incluster.tree import run_in
from localcluster import Tier, machine
from localcluster.oci import native_architecture
from localcluster.request import REPOSITORY
from operator_image.assemble import assemble
from operator_image.debian import PYTHON
from operator_image.origin import working_tree
from operator_image.unpack import read_blob, unpack
from operator_image.wheels import LINUX, unpack_wheels

# What is imported is looked for in the image first, and only then among the tools.
CODE = """
import os, sys
os.chdir("/src")
sys.path.append("/tools")
os.environ["PYTHONPATH"] = "/tools"
import pytest
folders = "api cache cli controller core kube manager observe orchestrator".split()
# The image has no shell, which the scripts in these tests are for.
without = [
    "--ignore=tests/unit/kube/test_credentials.py",
    "--ignore=tests/unit/kube/test_official_client.py",
    "--ignore=tests/unit/kube/test_official_client_login.py",
    "--deselect=tests/unit/core/test_text.py::test_a_shell_takes_each_word_of_a_command_as_it_is",
]
named = [f"tests/unit/{one}" for one in folders]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *without, *named]))
"""


def test_the_interpreter_and_the_requirements_pass_the_unit_tests(tmp_path: Path) -> None:
    if machine.tier_to_test(Tier.NODE) is not Tier.NODE:
        pytest.skip("needs root on Linux")
    tree, tools = unpack(working_tree(), tmp_path), tmp_path / "tools"
    platform = LINUX[native_architecture()]
    unpack_wheels(REPOSITORY / "requirements.lock", tools, python=PYTHON, platform=platform)

    done = run_in(tree, CODE, shared={"src": REPOSITORY, "tools": tools})

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout


def test_the_same_sources_give_the_same_image(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assemble(working_tree(), tmp_path / name)

    one, two = (json.loads((tmp_path / name / "index.json").read_text()) for name in ("one", "two"))
    assert one == two
    labels = read_blob(tmp_path / "one", one["manifests"][0]["digest"])["annotations"]
    expected = {"title", "licenses", "source", "revision", "version"}
    assert {key.rpartition(".")[2] for key in labels} == expected

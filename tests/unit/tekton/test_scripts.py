"""The bundles' scripts refuse bad input before they touch anything, each cause by its exit code."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

TEKTON = Path(__file__).parents[3] / "tekton"
KUBECTL = """#!/bin/sh
echo "$*" >> "$HOME/calls"
case $* in
  *missing*) echo "not found" >&2; exit 1 ;;
  *restartedAt*) echo "2 2026-01-01T00:00:00Z" ;;
  *metadata.generation*) echo 1 ;;
esac
"""


def _steps(bundle: str) -> dict[str, str]:
    document: dict[str, Any] = yaml.safe_load((TEKTON / bundle / "workflow.yaml").read_text())
    tasks = document["spec"]["tasks"]
    return {step["name"]: step["script"] for task in tasks for step in task["taskSpec"]["steps"]}


def _run(home: Path, script: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a kubectl that notes in the file `calls` how it was called."""
    (home / "kubectl").write_text(KUBECTL)
    (home / "kubectl").chmod(0o755)
    environment = {"PATH": f"{home}:{os.environ['PATH']}", "HOME": str(home), **values}
    return subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=10
    )


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("shop/Deployment/cart", 0),
        ("shop/StatefulSet/cart", 0),
        ("shop/DaemonSet/cart.v2", 0),
        ("shop/Deployment/missing", 4),
        ("shop/deployment/cart", 3),
        ("shop/Job/cart", 3),
        ("Node/worker-1", 2),
        ("cart", 2),
        ("", 2),
        ("a/b/c/d", 2),
        ("shop/Deployment/", 2),
        ("/Deployment/cart", 2),
        ("shop/Deployment/--all", 2),
        ("-n/Deployment/cart", 2),
        ("shop/Deployment/Cart", 2),
        ("shop/Deployment/cart cart", 2),
        ("shop/Deployment/$(touch pwned)", 2),
        ("shop/Deployment/cart;touch pwned", 2),
        ("shop/Deployment/cart\nshop", 2),
    ],
)
@pytest.mark.parametrize(
    ("bundle", "step"), [("restart-workload", "resolve"), ("inspect-workload", "show")]
)
def test_only_a_workload_is_a_target(
    tmp_path: Path, bundle: str, step: str, target: str, code: int
) -> None:
    done = _run(tmp_path, _steps(bundle)[step], TARGET_RESOURCE=target, ROLLOUT_TIMEOUT="0")

    assert done.returncode == code, done.stderr
    assert (tmp_path / "calls").exists() == (code in (0, 4))
    assert bool(done.stderr) == (code != 0)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("timeout", ["", "5m", "-1", "1 2", "1.5"])
def test_a_rollout_timeout_is_whole_seconds(tmp_path: Path, timeout: str) -> None:
    script = _steps("restart-workload")["resolve"]
    done = _run(tmp_path, script, TARGET_RESOURCE="shop/Deployment/cart", ROLLOUT_TIMEOUT=timeout)
    assert done.returncode == 2
    assert "ROLLOUT_TIMEOUT" in done.stderr


@pytest.mark.parametrize(
    ("before", "timeout", "code", "waits"),
    [("1", "0", 0, False), ("1", "30", 0, True), ("2", "0", 6, False)],
    ids=["stored", "rolled out", "nothing changed"],
)
def test_a_restart_that_left_no_trace_is_a_failure(
    tmp_path: Path, before: str, timeout: str, code: int, waits: bool
) -> None:
    (tmp_path / "target").write_text(f"shop deployments.apps cart {before}\n")
    done = _run(
        tmp_path,
        _steps("restart-workload")["verify"],
        TARGET_RESOURCE="shop/Deployment/cart",
        ROLLOUT_TIMEOUT=timeout,
    )
    assert done.returncode == code, done.stderr
    assert ("rollout status" in (tmp_path / "calls").read_text()) == waits


def test_always_fails_fails_in_its_second_step(tmp_path: Path) -> None:
    steps = _steps("always-fails")
    codes = [
        _run(tmp_path, script, TARGET_RESOURCE="x/y/z", EXIT_CODE="7").returncode
        for script in steps.values()
    ]
    assert list(steps) == ["look", "apply", "confirm"]
    assert codes == [0, 7, 0]


@pytest.mark.parametrize(("seconds", "code"), [("0", 0), ("", 2), ("1s", 2), ("-1", 2)])
def test_wait_takes_whole_seconds(tmp_path: Path, seconds: str, code: int) -> None:
    done = _run(tmp_path, _steps("wait")["sleep"], TARGET_RESOURCE="x/y/z", WAIT_SECONDS=seconds)
    assert done.returncode == code


@pytest.mark.parametrize("bundle", sorted(path.parent.name for path in TEKTON.glob("*/*.yaml")))
def test_no_step_needs_more_than_the_restricted_profile(bundle: str) -> None:
    document = yaml.safe_load((TEKTON / bundle / "workflow.yaml").read_text())
    for task in document["spec"]["tasks"]:
        shared = task["taskSpec"].get("stepTemplate", {})
        for step in task["taskSpec"]["steps"]:
            security = step.get("securityContext") or shared["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert "$(params" not in step["script"], "a parameter in a script is code"

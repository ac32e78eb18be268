"""The program `kubectl-wfe`: its commands, and what it hands over."""

import sys
from pathlib import Path

import pytest

from workflowexecution.plugin import __main__, app

ROOT = Path(__file__).parents[3]


def test_bundles_are_handed_over_with_their_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["bundle", "list", str(ROOT / "tekton"), "--output", "json"])
    assert (ended.value.code, '"restart-workload"' in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize("arguments", [["fly"], ["list", "--faster"], ["can-run"], ["why"]])
def test_what_nobody_knows_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(arguments)
    assert ended.value.code == 2
    assert "Usage: kubectl wfe" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "locks", "cooldowns", "top", "watch"])
def test_only_what_is_a_target_is_looked_for(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main([command, "--target", "payment/Deployment/$(params.APP)"])
    assert ended.value.code == 2
    assert "is not a target" in capsys.readouterr().err


def test_running_the_operator_is_no_command_of_the_plugin() -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["run"])
    assert ended.value.code == 2


def test_the_operators_image_has_none_of_what_only_people_need() -> None:
    """Structlog loads rich if it is installed, so rich must not be there."""
    lines = (ROOT / "requirements-run.lock").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert {"pygments", "rich", "shellingham", "typer"} & names == set()
    assert "structlog" in names


def test_where_they_are_missing_it_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "workflowexecution.plugin.app")
    monkeypatch.delattr("workflowexecution.plugin.app")
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 1
    assert "pip install 'workflowexecution-operator[plugin]'" in capsys.readouterr().err

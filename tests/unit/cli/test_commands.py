"""The command line: what it prints, what it hands on, and with which status it ends."""

import json
import runpy
import sys
from datetime import timedelta

import pytest
import yaml

from workflowexecution import __main__, __version__
from workflowexecution.api.crd import build_crd
from workflowexecution.api.pod import RunPod
from workflowexecution.cli import commands
from workflowexecution.cli.commands import policy_of
from workflowexecution.core.names import Shard
from workflowexecution.core.pipelinerun import RunTemplate
from workflowexecution.core.policy import Policy, Retention
from workflowexecution.settings import Settings

Output = pytest.CaptureFixture[str]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Settings of every operator that was started, none of which really is."""
    found: list[Settings] = []

    async def run(settings: Settings) -> None:
        found.append(settings)

    monkeypatch.setattr(commands, "run", run)
    return found


def test_the_version_is_printed(capsys: Output) -> None:
    assert commands.main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_the_crd_is_printed_as_it_is_built(capsys: Output) -> None:
    assert commands.main(["crd"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == json.loads(json.dumps(build_crd()))


def test_the_schema_is_printed_as_json(capsys: Output) -> None:
    assert commands.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["kind"]


def test_flags_win_over_the_environment(
    started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WFE_COOLDOWN", "1m")
    monkeypatch.setenv("WFE_CONCURRENCY", "7")
    arguments = ["--cooldown", "90s", "--watch-namespaces", "a,b", "--log-format", "text"]
    assert commands.main(["run", *arguments]) == 0
    assert [
        (item.cooldown, item.concurrency, item.watch_namespaces, item.log_format)
        for item in started
    ] == [(timedelta(seconds=90), 7, ["a", "b"], "text")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--cooldown", "soon"], "cooldown='soon': 'soon' is not a duration"),
        (["run", "--concurrency", "many"], "concurrency='many': Input should be a valid integer"),
        (["run", "--execution-namespace", "A B"], "execution_namespace='A B': 'A B' is not"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(
    started: list[Settings], capsys: Output, arguments: list[str], said: str
) -> None:
    assert commands.main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("wfe: ")
    assert said in told
    assert (told.count("\n"), started) == (1, [])


@pytest.mark.parametrize("arguments", [["fly"], ["run", "--faster"]])
def test_what_nobody_knows_is_refused(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 2
    assert "usage: wfe" in capsys.readouterr().err


def test_no_command_is_told() -> None:
    with pytest.raises(SystemExit, match="CLI subcommand is required"):
        commands.main([])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ValueError("no usable kubeconfig"), 2, "wfe: no usable kubeconfig\n"),
        (OSError("port taken"), 2, "wfe: port taken\n"),
        (RuntimeError("the watch ended"), 1, "wfe: stopped: the watch ended\n"),
    ],
)
def test_an_operator_that_cannot_go_on_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, error: Exception, code: int, said: str
) -> None:
    async def run(_: Settings) -> None:
        raise error

    monkeypatch.setattr(commands, "run", run)
    assert commands.main(["run"]) == code
    assert capsys.readouterr().err == said


def test_the_program_ends_with_the_status_of_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(sys, "argv", ["wfe", "version"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 0
    monkeypatch.delitem(sys.modules, "workflowexecution.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("workflowexecution", run_name="__main__", alter_sys=True)
    assert (ended.value.code, capsys.readouterr().out) == (0, f"{__version__}\n" * 2)


def test_settings_become_the_policy_of_reconciling() -> None:
    settings = Settings.model_validate(
        {
            "execution_namespace": "runs",
            "watch_namespaces": "a,b",
            "cooldown": "1m",
            "cancel_grace": "2m",
            "deadline_grace": "3m",
            "leftover_grace": "4m",
            "progress_interval": "5m",
            "run_retention": "6m",
            "failed_run_retention": "7m",
            "execution_retention": "8m",
            "finally_timeout": "9m",
            "allowed_service_accounts": "guest,runner",
            "shard": "2/5",
            "run_security_context": {"runAsNonRoot": True},
            "run_pod": {"priorityClassName": "high"},
        }
    )
    minutes = [timedelta(minutes=number) for number in range(10)]
    assert policy_of(settings) == Policy(
        cooldown=minutes[1],
        cancel_grace=minutes[2],
        deadline_grace=minutes[3],
        leftover_grace=minutes[4],
        progress_interval=minutes[5],
        retention=Retention(
            runs=minutes[6], failed_runs=minutes[7], executions=minutes[8], cooldown=minutes[1]
        ),
        template=RunTemplate(
            security_context={"runAsNonRoot": True},
            pod=RunPod(priority_class_name="high"),
            namespace="runs",
            allowed_service_accounts=frozenset({"guest", "runner"}),
            finally_timeout=minutes[9],
        ),
        watch_namespaces=("a", "b"),
        shard=Shard(2, 5),
    )

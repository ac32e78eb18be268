"""Shared flags: each command obeys one, or refuses it and says what to do instead."""

from __future__ import annotations

import inspect
import json

import pytest

from unit.plugin.played import Object, Request, Terminal, Told
from unit.plugin.test_unread import COMMANDS as READS
from workflowexecution.client.paths import execution_path
from workflowexecution.plugin import flags
from workflowexecution.plugin.flags import PLAIN, VALUED, in_order
from workflowexecution.plugin.rendering import Output

# Only the parameters of an execution are compared with a run.
COMMANDS = {**READS, "submit": (*READS["submit"], "-p", "SIZE=1")}
# Each shared flag with a value that changes what is asked or answered.
GIVEN = {
    "namespace": ("-n", "shop"),
    "all_namespaces": ("-A",),
    "context": ("--context", "nowhere"),
    "kubeconfig": ("--kubeconfig", "/nowhere"),
    "as_user": ("--as", "eve"),
    "cluster": ("--cluster", "nowhere"),
    "user": ("--user", "nowhere"),
    "as_groups": ("--as", "eve", "--as-group", "team"),
    "as_uid": ("--as", "eve", "--as-uid", "u-1"),
    "as_user_extra": ("--as", "eve", "--as-user-extra", "scopes=a=b"),
    "execution_namespace": ("--execution-namespace", "elsewhere"),
}
FORMS = {
    **{form: ("-o", form.value) for form in (Output.WIDE, Output.JSON, Output.YAML, Output.NAME)},
    Output.JSONPATH: ("-o", "jsonpath={}"),
    Output.COLUMNS: ("-o", "custom-columns=KIND:.kind"),
}
REFUSED = {
    "list": {"execution_namespace"},
    "watch": {"execution_namespace"},
    "top": {"execution_namespace"},
    "locks": {"namespace", "all_namespaces"},
    "cooldowns": {"namespace", "all_namespaces"},
    "hold": {"namespace", "all_namespaces"},
    "holds": {"namespace", "all_namespaces"},
    "release": {"namespace", "all_namespaces"},
    "can-run": {"all_namespaces"},
    "submit": {"all_namespaces"},
    "doctor": {"namespace", "all_namespaces"},
    "version": {"namespace", "all_namespaces", "execution_namespace"},
}


def seen(terminal: Terminal, *arguments: str) -> tuple[list[str], Told]:
    """Everything that a command does: its requests, with who asks, and its answer."""
    terminal.server.asked.clear()
    told = terminal.ask(*arguments)
    asked = [
        (item.method, item.path, sorted(item.query.items()), who)
        for item in terminal.server.asked
        for who in [[pair for pair in item.headers if pair[0].startswith("Impersonate")]]
    ]
    return sorted(map(str, asked)), told


def test_each_shared_flag_is_in_the_table() -> None:
    assert {*GIVEN, "output"} == set(flags.SHARED)
    options = {flags._option(name) for name in flags.SHARED}
    assert options <= {*VALUED, *PLAIN}
    assert set(inspect.signature(flags.make_flags).parameters) == set(flags.SHARED)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_flag_is_obeyed_or_refused(terminal: Terminal, command: str) -> None:
    without = seen(terminal, *COMMANDS[command])
    for name, given in GIVEN.items():
        if name in REFUSED.get(command, ()):
            asked, told = seen(terminal, *COMMANDS[command], *given)
            assert (asked, told.status, told.out) == ([], 2, ""), (given, told)
            assert told.err.startswith(f"error: {given[0]} does nothing in `{command}`: ")
        else:
            assert seen(terminal, *COMMANDS[command], *given) != without, given


@pytest.mark.parametrize("command", COMMANDS)
def test_a_form_is_obeyed_or_refused(terminal: Terminal, command: str) -> None:
    without = terminal.ask(*COMMANDS[command])
    for form, given in FORMS.items():
        told = terminal.ask(*COMMANDS[command], *given)
        if told.status == 2:
            assert f"-o {form} does nothing" in told.err
        else:
            assert (told.status, told.out != without.out) == (without.status, True), (given, told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "-n", "x", "-A"], "-n and -A exclude each other"),
        (["list", "--as-group", "x"], "--as-group needs --as"),
        (["list", "--as-uid", "x"], "--as-uid needs --as"),
        (["list", "--as-user-extra", "x=y"], "--as-user-extra needs --as"),
        (["list", "--as", "eve", "--as-user-extra", "x"], "write it as KEY=VALUE"),
        (["list", "-o", "nam"], "the forms are table, wide, json"),
        (["list", "-o", "json=x"], "-o json takes no value"),
        (["list", "-o", "jsonpath"], "-o jsonpath needs a value"),
        (["list", "-o", "custom-columns=x"], "write it like NAME:.metadata.name"),
        (["describe", "team-a/failed", "-n", "x"], "-n names x: name one namespace"),
        (["describe", "team-a/failed", "-A"], "-A does nothing: leave it out"),
        (["watch", "failed", "--workflow", "x"], "do nothing beside a name"),
        (["submit", "--wait-timeout", "1h"], "does nothing without --wait"),
        (["submit", "--wait", "--dry-run"], "does nothing with --dry-run"),
        (["hold", "--reason", "x"], "say what to hold: --everything, or at least one of"),
        (["hold", "--reason", "x", "--target", "y"], "--target: 'y' is not a target"),
    ],
)
def test_what_has_no_effect_is_a_usage_error(
    terminal: Terminal, arguments: list[str], said: str
) -> None:
    told = terminal.ask(*arguments)
    assert (told.status, told.out, said in told.err) == (2, "", True), told


def test_a_missing_flag_of_submit_is_named(terminal: Terminal) -> None:
    told = terminal.ask("submit", "--target", "a/B/c", "--workflow", "w", "--version", "1")
    assert (told.status, told.err) == (2, "error: --image is missing; nothing was created\n")


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["list"], ["list"]),
        (["-n", "x", "list", "-A"], ["list", "-n", "x", "-A"]),
        (["--namespace=x", "-nx", "-A", "why", "y"], ["why", "--namespace=x", "-nx", "-A", "y"]),
        (["-h"], ["-h"]),
        (["--version"], ["version"]),
        (["--context", "c", "--version"], ["version", "--context", "c"]),
        (["help"], ["--help"]),
        (["help", "list"], ["list", "--help"]),
        (["--faster", "list"], ["--faster", "list"]),
        ([], []),
    ],
)
def test_flags_may_come_before_the_command(given: list[str], ordered: list[str]) -> None:
    assert in_order(given) == ordered


def test_the_same_is_answered_wherever_a_flag_is(terminal: Terminal) -> None:
    assert seen(terminal, "-n", "shop", "list") == seen(terminal, "list", "-n", "shop")


def test_requests_are_made_as_somebody_else(terminal: Terminal) -> None:
    terminal.ask("list", "--as", "eve", "--as-group", "a", "--as-group", "b")
    (request,) = terminal.server.asked
    assert [pair for pair in request.headers if pair[0].startswith("Impersonate")] == [
        ("Impersonate-User", "eve"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    ]


@pytest.mark.parametrize(
    ("flags_of_hold", "extent"),
    [
        (
            ["--everything"],
            "every new launch is held: every workflow, on every target, in every namespace",
        ),
        (
            ["--workflow", "wait"],
            "new launches are held: workflow wait, on every target, in every namespace",
        ),
        (
            ["--workflow", "wait", "--in", "payment"],
            "new launches are held: workflow wait, on every target, in namespace payment",
        ),
        (
            ["--target", "a/Deployment/b"],
            "new launches are held: every workflow, on target a/Deployment/b, in every namespace",
        ),
    ],
)
def test_a_hold_says_how_much_it_holds(
    terminal: Terminal, flags_of_hold: list[str], extent: str
) -> None:
    told = terminal.ask("hold", "--reason", "look", *flags_of_hold)
    assert (told.status, told.out.splitlines()[0]) == (0, extent)
    assert "by ada" in told.out


def test_release_says_what_goes_on_and_what_still_waits(terminal: Terminal) -> None:
    told = terminal.ask("release", "freeze")
    assert (told.status, told.err) == (0, "goes on now: team-a/held\n")
    told = terminal.ask("release", "freeze", "nope")
    assert told.status == 3
    assert "freeze is lifted" in told.out


def test_release_says_what_goes_on_however_soon_it_is_launched(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, answer = terminal.server, terminal.server.answer

    def launch(request: Request) -> tuple[int, Object | str]:
        if request.method == "DELETE":
            status = {"phase": "Running", "pipelineRunRef": {"name": "wfe-1"}}
            server.objects[execution_path("team-a", "held")]["status"] = status
        return answer(request)

    monkeypatch.setattr(server, "answer", launch)
    assert terminal.ask("release", "freeze").err == "goes on now: team-a/held\n"


def test_columns_of_ones_own_are_a_table(terminal: Terminal) -> None:
    told = terminal.ask("list", "-o", "custom-columns=NAME:.metadata.name,RUN:.status.x.y")
    assert told.out.splitlines()[:2] == ["NAME      RUN", "skipped   <none>"]
    told = terminal.ask("list", "-o", "jsonpath={.items[*].metadata.name}")
    assert json.dumps(sorted(told.out.split())) == '["failed", "held", "running", "skipped"]'


@pytest.mark.parametrize("command", [("list",), ("top",)])
def test_labels_select_on_the_server(terminal: Terminal, command: tuple[str, ...]) -> None:
    terminal.ask(*command, "-l", "team=payment")
    assert [item.query["labelSelector"] for item in terminal.server.asked] == ["team=payment"]


def test_a_target_is_selected_in_each_spelling_of_its_kind(terminal: Terminal) -> None:
    target = ("--target", "payment/deployment/payment-api")
    told = terminal.ask("list", *target)
    assert [line.split()[0] for line in told.out.splitlines()[1:]] == ["skipped", "running"]
    told = terminal.ask("top", *target, "--by", "target", "-o", "name")
    assert told.out == "payment/Deployment/payment-api\n"
    told = terminal.ask("locks", *target, "-o", "jsonpath={.items[*].target}")
    assert told.out == "payment/Deployment/payment-api\n"
    told = terminal.ask(
        "cooldowns", "--target", "payment/deployment/checkout", "-o", "jsonpath={.items[*].target}"
    )
    assert told.out == "payment/Deployment/checkout\n"


def test_several_names_are_listed(terminal: Terminal) -> None:
    told = terminal.ask("list", "failed", "running")
    assert (told.status, len(told.out.splitlines())) == (0, 3)
    told = terminal.ask("list", "failed", "-l", "x=y")
    assert (told.status, "does nothing beside names" in told.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["release", "nope"], 'error: hold "nope" not found in kubernaut-workflows\n'),
        (
            ["list", "nope"],
            "error: there is no WorkflowExecution 'nope' in namespace team-a; "
            "-A looks in all namespaces\n",
        ),
    ],
)
def test_no_error_is_a_raw_request(terminal: Terminal, arguments: list[str], said: str) -> None:
    assert terminal.ask(*arguments).err == said

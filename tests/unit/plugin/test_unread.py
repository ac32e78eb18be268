"""Each command says so where one of its reads is refused, or a kind is not served."""

from __future__ import annotations

import json

import pytest

from unit.plugin.played import Request, Terminal
from unit.plugin.stage import OTHER, RUNS, TARGET
from workflowexecution.client.paths import settings_path
from workflowexecution.plugin import app

# A command line for each command that reads the cluster.
COMMANDS = {
    "list": ("list",),
    "describe": ("describe", "failed"),
    "watch": ("watch", "skipped"),
    "logs": ("logs", "failed"),
    "locks": ("locks",),
    "cooldowns": ("cooldowns",),
    "why": ("why", "skipped"),
    "can-run": ("can-run", "--target", "free/Deployment/x", "--workflow", "restart"),
    "cancel": ("cancel", "running"),
    "hold": ("hold", "--everything", "--reason", "look"),
    "holds": ("holds",),
    "release": ("release", "freeze"),
    "clear": ("clear", "failed", "--reason", "looked"),
    "submit": (
        *("submit", "--target", "shop/Deployment/x", "--workflow", "w"),
        *("--version", "1", "--image", "r.example/x:1", "--name", "x"),
    ),
    "top": ("top",),
    "doctor": ("doctor",),
    "support-bundle": ("support-bundle", "--file", "/dev/null"),
    "version": ("version",),
}
SETTINGS = settings_path(RUNS)
# Words that say that there is nothing: true only of what could be read.
NOTHING = ("no target is held", "nothing cools down", "nothing is held", "elects none")


def reads_of(terminal: Terminal, command: str) -> list[Request]:
    """The requests of a command that change nothing but reviews."""
    found = terminal.requests_of(*COMMANDS[command])
    assert found, "the command asks nothing"
    return [item for item in found if item.method == "GET"]


def has_changed(terminal: Terminal) -> bool:
    """Whether a command has changed something since the requests were forgotten."""
    asked = terminal.server.asked
    reads = ("GET", "POST /apis/authentication.k8s.io/", "POST /apis/authorization.k8s.io/")
    return not all(f"{item.method} {item.path}".startswith(reads) for item in asked)


def test_each_command_is_in_the_table() -> None:
    assert set(app.COMMANDS) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_succeeds_where_it_may_read_everything(
    terminal: Terminal, command: str
) -> None:
    told = terminal.ask(*COMMANDS[command])
    expected = {"watch": 11}.get(command, 0)
    assert (told.status, "right" in told.err) == (expected, False), told


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_right_is_named_and_nothing_is_claimed(terminal: Terminal, command: str) -> None:
    for read in reads_of(terminal, command):
        with_all = terminal.ask(*COMMANDS[command])
        verb, resource, namespace = terminal.server.refuse(read)
        terminal.server.asked.clear()
        told = terminal.ask(*COMMANDS[command])
        del terminal.server.answers[read.method, read.path]
        if read.path == SETTINGS and told == with_all:
            # It depends on no setting here.
            continue
        where = f"namespace {namespace}" if namespace else ""
        assert f"the right to {verb} {resource}" in told.all, (read, told)
        assert where in told.all, (read, told)
        # What was done is done: what follows from it is unknown.
        assert told.status == (0 if has_changed(terminal) else 4), (read, told)
        assert not [text for text in NOTHING if text in told.all], (read, told)


@pytest.mark.parametrize("group", ["/apis/workflowexecution.kubernaut.ai/", "/apis/tekton.dev/"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_kind_that_is_not_served_is_an_error_that_says_what_to_install(
    terminal: Terminal, command: str, group: str
) -> None:
    of_group = [item for item in reads_of(terminal, command) if item.path.startswith(group)]
    for read in of_group:
        terminal.server.answers[read.method, read.path] = (404, "404 page not found\n")
    told = terminal.ask(*COMMANDS[command])
    if of_group:
        assert (told.status, "install" in told.all) == (1, True), told
        assert not [text for text in NOTHING if text in told.all], told


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_proxy_answers_is_no_word_of_the_api_server(
    terminal: Terminal, command: str
) -> None:
    """Proxies written in Go have the same page as the API server has for an unknown kind."""
    for read in reads_of(terminal, command):
        terminal.server.answers[read.method, read.path] = (404, "404 page not found\n")
        terminal.server.by_proxy.add(read.path)
        told = terminal.ask(*COMMANDS[command])
        assert "install" not in told.all, (read, told)
        assert not [text for text in NOTHING if text in told.all], (read, told)
        del terminal.server.answers[read.method, read.path]
        terminal.server.by_proxy.clear()


def test_an_empty_list_that_is_not_all_says_so_in_each_form(terminal: Terminal) -> None:
    (runs,) = {item for item in reads_of(terminal, "locks") if "pipelineruns" in item.path}
    terminal.server.objects.clear()
    terminal.server.refuse(runs)
    told = terminal.ask("locks", "-o", "json")
    assert (told.status, json.loads(told.out)["items"]) == (4, [])
    assert told.err.startswith("unknown: which targets are locked: the right to list pipelineruns")


def test_a_lock_that_is_known_is_not_said_to_be_unknown(terminal: Terminal) -> None:
    (runs,) = {item for item in reads_of(terminal, "locks") if "pipelineruns" in item.path}
    terminal.server.refuse(runs)
    for target, unknown in ((TARGET, f"what executes on {TARGET}"), (OTHER, f"whether {OTHER} is")):
        told = terminal.ask("locks", "--target", target)
        assert (told.status, told.err.startswith(f"unknown: {unknown}")) == (4, True), told


def test_where_executions_cannot_be_read_nobody_is_said_to_wait(terminal: Terminal) -> None:
    (executions,) = {
        item for item in reads_of(terminal, "holds") if "workflowexecutions" in item.path
    }
    terminal.server.refuse(executions)
    told = terminal.ask("holds")
    assert (told.status, told.out.splitlines()[1].split()[-2]) == (4, "unknown")
    assert "waiting" not in json.loads(terminal.ask("holds", "-o", "json").out)["items"][0]


def test_without_its_deployment_an_operators_leader_is_unknown(terminal: Terminal) -> None:
    for path in [path for path in terminal.server.objects if "/deployments/workflow" in path]:
        del terminal.server.objects[path]
    found = json.loads(terminal.ask("doctor", "-o", "json").out)["items"]
    states = {item["check"]: item["state"] for item in found}
    assert states["leader"] == "unknown"

"""`--reason`: asked for where a person pastes a command without it, and bounded."""

import io
import shlex

import pytest

from unit.plugin.played import Terminal
from workflowexecution.api import reading
from workflowexecution.api.identity import CLEAR_ANNOTATION as NOTE
from workflowexecution.client.paths import execution_path
from workflowexecution.core.diagnosis.explanations import SKIPS
from workflowexecution.core.facts.execution import REASON_MAX
from workflowexecution.core.text import clear_command


class Keyboard(io.StringIO):
    """The standard input of a person."""

    def isatty(self) -> bool:
        return True


def offered() -> list[str]:
    """The command as messages offer it, in the words of the shell."""
    return shlex.split(clear_command("team-a", "failed"))[2:]


def noted(terminal: Terminal) -> str:
    """The note that it has asked the server to write; empty for none."""
    path = execution_path("team-a", "failed")
    patches = [
        item.body for item in terminal.server.asked if (item.method, item.path) == ("PATCH", path)
    ]
    return reading.text(patches[0], "metadata", "annotations", NOTE) if patches else ""


def test_a_command_that_a_message_offers_can_be_pasted(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard("the node \tis replaced\n"))
    told = terminal.ask(*offered())
    assert (told.status, "What was looked at, and what was found:" in told.err) == (0, True)
    assert noted(terminal).endswith(": the node is replaced")


@pytest.mark.parametrize("stdin", [Keyboard("\n"), io.StringIO("not for it\n")])
def test_without_a_reason_nothing_is_cleared(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO
) -> None:
    """Text in a pipe is not for the command, as in a loop of a shell."""
    monkeypatch.setattr("sys.stdin", stdin)
    told = terminal.ask(*offered())
    assert (told.status, noted(terminal)) == (2, "")
    assert "error: --reason is missing: say what was looked at, and found" in told.err


@pytest.mark.parametrize("command", ["clear", "cancel"])
def test_a_reason_is_bounded(terminal: Terminal, command: str) -> None:
    reason = "x" * (REASON_MAX + 1)
    told = terminal.ask(command, "failed", "--reason", reason)
    assert told.status == 2
    assert f"error: --reason has {len(reason)} characters; write at most {REASON_MAX}" in told.err


def test_where_no_execution_is_known_a_command_has_a_placeholder() -> None:
    texts = [item.to_do for item in SKIPS.values() if "wfe clear" in item.to_do]
    assert len(texts) == 3
    assert all("kubectl wfe clear NAME." in text for text in texts)

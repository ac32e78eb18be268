"""A terminal into which the blocks of a page are pasted, one after the other."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TextIO

from docgen.blocks import ROOT, Block
from harness.waiting import eventually

SECONDS = 600.0
SOON_SECONDS = 60.0
# Of the terminal: as wide as the pages show a row in one line.
COLUMNS, LINES = 120, 50
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "CLOCK"),
    (re.compile(r"(?<![\w-])(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?s\b"), "LENGTH"),
    (re.compile(r"(?<![\w-])(\d+[dhm])+\b"), "LENGTH"),
    (re.compile(r"127\.0\.0\.1:\d+|10\.77\.0\.1:\d+"), "REGISTRY"),
    (re.compile(r"[0-9a-f]{64}"), "DIGEST"),
    (re.compile(r"\b(try-[a-z0-9-]+)-[0-9a-f]{6}\b"), r"\1-RANDOM"),
)


class Terminal:
    """One bash, as a person has it: what is exported in one block is there in the next."""

    def __init__(self, process: subprocess.Popen[bytes], screen: TextIO, scratch: Path) -> None:
        self._process = process
        self._screen = screen
        self._scratch = scratch

    def paste(self, commands: str) -> tuple[int, str]:
        """Run commands.

        Returns: 0 or the status of the last command that failed, and all that was printed.
        Raises: RuntimeError where the terminal has ended or they take too long.
        """
        end, script = f"end-{secrets.token_hex(8)}", self._scratch / "pasted"
        script.write_text(commands)
        assert self._process.stdin
        told = f"_failed=0; . {script}; printf '\\n%s %s\\n' {end} $_failed\n"
        self._process.stdin.write(told.encode())
        self._process.stdin.flush()
        printed: list[str] = []
        timer = Timer(SECONDS, self._process.kill)
        timer.start()
        try:
            for line in self._screen:
                if line.startswith(end):
                    return int(line.split()[1]), "".join(printed).removesuffix("\n")
                printed.append(line)
        except OSError:
            # Nobody has the other end of the terminal any more.
            pass
        finally:
            timer.cancel()
        raise RuntimeError(f"the terminal ended or took {SECONDS:.0f} s:\n{''.join(printed)}")


@contextmanager
def terminal(folder: Path = ROOT, more: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """A bash in `folder`; it ends with the block. `more` is added to its environment.

    Its output is a terminal without colours, so that commands print what they print for people.
    """
    master, slave = os.openpty()
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    termios.tcsetwinsize(slave, (LINES, COLUMNS))
    look = {"TERM": "dumb", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    with (
        TemporaryDirectory() as scratch,
        os.fdopen(master, encoding="utf-8", newline="\n") as screen,
        subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**_of_a_person(), **look, **(more or {})},
            stdin=subprocess.PIPE,
            stdout=slave,
            stderr=slave,
        ) as process,
    ):
        os.close(slave)
        opened = Terminal(process, screen, Path(scratch))
        opened.paste("trap '_failed=$?' ERR")
        yield opened
        assert process.stdin
        process.stdin.close()


def run(opened: Terminal, block: Block) -> str:
    """Paste one block.

    Returns: its text as it should stand on the page: a console block with what was printed now.
    Raises: AssertionError where it ends with another status than the page says.
    """
    if block.language != "console":
        eventually(partial(_paste, opened, block, block.text), SOON_SECONDS if block.is_soon else 0)
        return block.text
    parts = []
    for command in _commands(block.text):
        printed = _paste(opened, block, command)
        lines = [line.rstrip() for line in printed.rstrip("\n").splitlines()]
        prompt = "$ " + "\n> ".join(command.splitlines())
        parts.append("\n".join([prompt, *lines]))
    return "\n".join(parts) + "\n"


def _paste(opened: Terminal, block: Block, commands: str) -> str:
    status, printed = opened.paste(commands)
    assert status == block.status, f"{block}:\n{commands}\nended with {status}:\n{printed}"
    return printed


def masked(text: str) -> str:
    """Text without what differs each time: times, lengths of time, ports, digests, columns."""
    for pattern, shown in _MASKS:
        text = pattern.sub(shown, text)
    return re.sub(r" {2,}", "  ", text)


def _commands(text: str) -> list[str]:
    """The commands of a console block; a line that begins with `> ` continues the one above."""
    commands: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("> ") and commands:
            commands[-1] += "\n" + line[2:]
    return commands


def _of_a_person() -> dict[str, str]:
    """The environment without what a make that started the tests hands on to another make."""
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))
    }

"""The order of the arguments: shared flags may come before the command, as with kubectl."""

from collections.abc import Sequence
from typing import Final

# Shared flags that a value follows, and those without one.
VALUED: Final = (
    *("-n", "--namespace", "-o", "--output", "--context", "--kubeconfig"),
    *("--as", "--as-group", "--execution-namespace"),
)
PLAIN: Final = ("-A", "--all-namespaces")
_HELP: Final = ("-h", "--help")
_SHORT: Final = ("-n", "-o")


def in_order(arguments: Sequence[str]) -> list[str]:
    """The arguments with the command first; `help` and `--version` are commands, too.

    Without a command, or with an unknown flag before it, they are left as they are.
    """
    leading: list[str] = []
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        length = _length(arguments[place])
        if not length:
            return list(arguments)
        leading += arguments[place : place + length]
        place += length
    if place >= len(arguments):
        is_asked = "--version" in leading
        return (
            ["version", *(flag for flag in leading if flag != "--version")] if is_asked else leading
        )
    command, *rest = arguments[place:]
    if command == "help":
        return [*rest[:1], "--help"]
    return [command, *leading, *rest]


def _length(argument: str) -> int:
    """The number of arguments of a shared flag, with itself; 0 for a flag that is not shared."""
    if argument in (*PLAIN, *_HELP, "--version"):
        return 1
    if argument in VALUED:
        return 2
    name, has_value, _ = argument.partition("=")
    return 1 if (has_value and name in VALUED) or argument[:2] in _SHORT else 0

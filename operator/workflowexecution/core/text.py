"""Makes text of other origin harmless for terminals, for programs and for shells."""

import re
import shlex
from typing import Final

# Characters that control a terminal (C0 without tab and line feed, C1), change the direction of
# text (bidi), are invisible, or end a line; see UAX #9 and Unicode's category Cf.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Of a skip, before a time that counts from then.
AGAIN_IN: Final = "; it may run again in "
# Of a skip, before the command of a clear.
SKIPPED_UNTIL_CLEARED: Final = "; it is skipped until a person has looked and cleared that: "


def printable(text: str) -> str:
    """The text without characters that control a terminal; tabs and line feeds stay."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The text as a part of one line: no part of it can begin another line."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def escaped(json_text: str) -> str:
    """JSON with the same meaning, without characters that control a terminal."""
    return _CONTROLS.sub(lambda found: _escape(found[0]), json_text)


def is_printable(text: str) -> bool:
    """Whether a text has no characters that control a terminal."""
    return not _CONTROLS.search(text)


def command(*words: str) -> str:
    """A command for people to paste: the shell takes each word as one word, with any content."""
    return shlex.join(words)


def _escape(mark: str) -> str:
    # JSON counts in UTF-16.
    units = mark.encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2)
    )


def clear_command(namespace: str = "", name: str = "NAME") -> str:
    """The command with which a person clears a failure; it asks for the reason.

    Args:
        namespace: of the execution that failed; empty where it is not known.
        name: of the execution that failed.
    """
    return command("kubectl", "wfe", "clear", *(("-n", namespace) if namespace else ()), name)


def may_run_again(workflow_id: str, target: str) -> str:
    """The beginning of the sentence that says when a workflow may run again after a failure."""
    return f"Workflow {workflow_id} may run on {target} again"


def runs_no_more(workflow_id: str, target: str) -> str:
    """The beginning of the sentence that says that a failure keeps a workflow away."""
    return f"Workflow {workflow_id} does not run on {target} again"

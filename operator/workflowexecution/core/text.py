"""Text of others, made harmless: for terminals, for programs and for shells."""

import re
import shlex
from typing import Final

# What a terminal obeys (C0 without tab and line feed, C1), what turns the direction of writing
# (bidi), what is not seen at all, and what else ends a line; see UAX #9 and Unicode's category Cf.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """The text without what a terminal would obey; it keeps tabs and line feeds."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The text as a part of one line, of which nothing that it says can begin another."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def escaped(json_text: str) -> str:
    """JSON that means the same, and in which a terminal finds nothing to obey."""
    return _CONTROLS.sub(lambda found: _escape(found[0]), json_text)


def is_printable(text: str) -> bool:
    """Whether a terminal would obey nothing of a text."""
    return not _CONTROLS.search(text)


def command(*words: str) -> str:
    """A command for people to paste: whatever a word holds, a shell takes it as one word."""
    return shlex.join(words)


def _escape(mark: str) -> str:
    # JSON counts in UTF-16.
    units = mark.encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2)
    )

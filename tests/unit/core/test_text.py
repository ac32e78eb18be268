"""Texts of others, made harmless for terminals, for programs and for shells."""

import json
import subprocess
import sys
import unicodedata

import pytest

from workflowexecution.core import text

# Format characters that are seen, or that words of some languages are written with.
_KEPT = {"\t", "\n", "\u200c", "\u200d", *map(chr, range(0x600, 0x606)), "\u06dd", "\u070f"}
_KEPT |= {"\u0890", "\u0891", "\u08e2"}


def test_no_character_is_left_that_is_obeyed_or_turns_the_text() -> None:
    kinds = ("Cc", "Zl", "Zp", "Cs", "Cf")
    # Above the basic plane: notation of music and hieroglyphs, which is not told here.
    wanted = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) in kinds]
    left = {mark for mark in wanted if mark in text.printable(mark)}
    assert left == _KEPT
    assert text.printable("a\U000e0041b") == "a\N{REPLACEMENT CHARACTER}b"


def test_every_other_text_is_left_as_it_is() -> None:
    for told in (
        "plain",
        "größer",
        "日本語",
        "👩‍🚀",
        "a\tb\nc",
        "[bold]",
        "\N{REPLACEMENT CHARACTER}",
    ):
        assert text.printable(told) == text.escaped(told) == told
        assert text.is_printable(told)


def test_nothing_begins_a_line_of_its_own() -> None:
    assert text.one_line("a\nb\tc\x1b") == "a b c\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("mark", ["\x1b", "\x7f", "\x9b", "\x85", "\u202e", "\u2028", "\U000e0041"])
def test_json_means_the_same_and_is_not_obeyed(mark: str) -> None:
    plain = {f"k{mark}": [f"ä{mark}\n"]}
    for indent in (None, 2):
        told = text.escaped(json.dumps(plain, indent=indent, ensure_ascii=False))
        assert text.is_printable(told)
        assert "ä" in told
        assert json.loads(told) == plain


@pytest.mark.parametrize(
    "word", ["a b", "$(id)", "`id`", "'", '"', "!!", "a\nb", "", "~", "*", "a;b", "\\", "-x", "#"]
)
def test_a_shell_takes_each_word_of_a_command_as_it_is(word: str) -> None:
    printer = "import sys; print(ascii(sys.argv[1:]))"
    pasted = text.command(sys.executable, "-c", printer, word, "end")
    told = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ascii([word, "end"])


def test_plain_words_are_not_quoted() -> None:
    plain = "kubectl logs -n shop pod-1 -c step-change"
    assert text.command(*plain.split()) == plain

"""Text in a given width: where lines end, and what stays whole."""

import pytest

from workflowexecution.cli.table import lay_out, wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("one two three four five", ["one two three four", "  five"]),
        ("a/name-that-is-longer-than-it and", ["a/name-that-is-longer-than-it", "  and"]),
        (
            "to lift it: kubectl wfe release a-long-name; then look",
            ["to lift it:", "  kubectl wfe release a-long-name;", "  then look"],
        ),
        ("run kubectl get 'a b; c d' -n shop", ["run", "  kubectl get 'a b; c d' -n shop"]),
        ("first line\nsecond", ["first line", "second"]),
        ("  indented   by two and on", ["  indented   by two", "  and on"]),
    ],
)
def test_words_and_commands_stay_whole(text: str, lines: list[str]) -> None:
    assert wrapped(text, 20, "  ") == lines


@pytest.mark.parametrize(
    ("widths", "movable", "lines"),
    [
        ([5, 5], [1], [[0, 1]]),
        ([10, 5, 20, 5], [2], [[0, 1, 3], [2]]),
        ([10, 15, 20, 5], [1, 2], [[0, 1, 3], [2]]),
        ([20, 15, 12, 15], [3], [[0, 1], [2, 3]]),
        ([20, 15, 20, 5], [1, 2], [[0, 3], [1], [2]]),
        ([38, 5, 5], [], [[0], [1, 2]]),
        ([50], [], [[0]]),
    ],
)
def test_columns_move_to_further_lines_until_all_fit(
    widths: list[int], movable: list[int], lines: list[list[int]]
) -> None:
    assert lay_out(widths, movable, 40).lines == lines

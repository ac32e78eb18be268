"""Every command in the documentation is run by a test, or says what it needs."""

import re
from pathlib import Path

import pytest

from docgen.blocks import ROOT, Block, pages, shell_blocks
from walks.paste import COLUMNS, LINES, masked, run, terminal
from walks.walk import lasting

# Kustomizations with the operator's Deployment.
UNNAMED = re.compile(r"-k manifests(/(base|operator|overlays/[a-z-]+))?/?(\s|$)")
BLOCKS = [block for page in pages() for block in shell_blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_whether_it_is_run(block: Block) -> None:
    assert block.kind, (
        f"{block}: put '<!-- run -->', '<!-- run by: tests/… -->' or '<!-- needs: what -->' "
        "on the line before it"
    )
    assert block.kind == "run" or block.note, f"{block}: say what it needs, or which test runs it"


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_no_block_installs_an_image_that_is_published_nowhere(block: Block) -> None:
    """The image of a checkout is named by whoever installs it: $IMAGE, build/my-cluster."""
    applied = re.findall(r"kubectl apply ((?:.*\\\n)*.*)", block.text)
    bare = [line for line in applied if UNNAMED.search(line) and "--dry-run" not in line]
    by_helm = re.findall(r"helm (?:install|upgrade) ((?:.*\\\n)*.*)", block.text)
    # An upgrade that keeps the values that were set keeps the name, too.
    bare += [
        line
        for line in by_helm
        if "manifests/chart" in line
        and "image.repository=" not in line
        and "--reset-then-reuse-values" not in line
    ]
    assert bare == []
    assert "--reuse-values" not in block.text.replace("--reset-then-reuse-values", "")


def test_the_tests_that_are_named_are_there() -> None:
    named = {path for block in BLOCKS if block.kind == "run by" for path in block.note.split(", ")}
    assert {path for path in named if not (ROOT / path).is_file()} == set()


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "console"], ids=str
)
def test_what_a_command_printed_is_shown_whole(block: Block) -> None:
    lines = block.text.splitlines()
    assert [line for line in lines if line.endswith("…") or line != line.rstrip()] == []


def test_a_block_that_fails_is_seen(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        assert run(opened, _block("export WORD=hello\ntest -d .\n"))
        assert run(opened, _block("$ echo $WORD\nold\n", language="console")) == (
            "$ echo $WORD\nhello\n"
        )
        with pytest.raises(AssertionError, match="ended with 1"):
            run(opened, _block("false\ntrue\n"))
        assert run(opened, _block("(exit 11)\n", note="exits with 11"))


def test_commands_print_to_a_terminal_and_nothing_is_cut(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        size = "$ test -t 1 && test -t 2 && stty size <&1\n"
        assert run(opened, _block(size, language="console")) == f"{size}{LINES} {COLUMNS}\n"
        long = "$ printf 'a%.0s' {1..300}\n"
        assert run(opened, _block(long, language="console")) == f"{long}{'a' * 300}\n"


def test_where_lines_are_wrapped_does_not_matter() -> None:
    one = "Message  it ended after 9s: why\n         not\n12:00:01 UTC\n"
    other = "Message  it ended after 11s:\n         why not\n12:00:01 UTC\n"
    assert lasting(one) == lasting(other) != lasting(one.replace("not", "so"))
    assert lasting(f"$ a | fold -sw 9\n{one}") == lasting(f"$ a | fold -sw 9\n{other}")


def test_only_what_differs_each_time_is_masked() -> None:
    one = "wait   2026-11-22T23:46:55Z   5m0s   wfe-7c24-1   18s in 1h59m"
    assert masked(one) == "wait  TIME  LENGTH  wfe-7c24-1  LENGTH in LENGTH"


def _block(text: str, *, language: str = "sh", note: str = "") -> Block:
    return Block(ROOT / "README.md", 1, language, text, "run", note, 0, len(text))

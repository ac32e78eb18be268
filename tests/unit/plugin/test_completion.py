"""Completion suggests the next words without a question to the cluster."""

import os
import sys

import pytest

from workflowexecution.plugin import parameters
from workflowexecution.plugin.__main__ import complete
from workflowexecution.plugin.rendering import Output


def suggested(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> list[str]:
    monkeypatch.setattr(os, "environ", {**os.environ, "KUBECONFIG": "/nowhere"})
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-wfe", *words])
    complete()
    *found, directive = capsys.readouterr().out.splitlines()
    assert directive == ":4"
    return [line.partition("\t")[0] for line in found if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wa"], ["watch"]),
        (["list", "--phase", "F"], ["Failed"]),
        (["describe", "--na"], ["--namespace"]),
        (
            ["list", "-o", ""],
            [item.value for item in Output],
        ),
        (["describe", "x"], []),
        (["nothing", "x"], []),
    ],
)
def test_words_that_may_come_next_are_suggested(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    expected: list[str],
) -> None:
    assert suggested(monkeypatch, capsys, *words) == expected


def test_flags_before_the_word_are_heeded() -> None:
    flags = parameters._flags_of({"namespace": "a", "kubeconfig": "/k", "all_namespaces": None})
    assert (flags.namespace, flags.kubeconfig, flags.all_namespaces) == ("a", "/k", False)

"""The audit says what it found, and never that nothing was found where nothing was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dependency_audit import Answer, describe

GOOD = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
BAD = {
    "name": "pyyaml",
    "version": "5.3",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["5.4"]}],
}
UNKNOWN = {"name": "aiohttp", "skip_reason": "not found on PyPI"}


def said(*packages: dict[str, Any]) -> list[str]:
    return list(describe("x.lock", Answer(json.dumps({"dependencies": packages}), "")))


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ([GOOD], ["audit of x.lock: 0 of 1 packages have known vulnerabilities"]),
        (
            [GOOD, BAD],
            [
                "audit of x.lock: 1 of 2 packages have known vulnerabilities",
                "  pyyaml 5.3: PYSEC-1, CVE-1; fixed in 5.4",
            ],
        ),
        (
            [GOOD, UNKNOWN],
            [
                "audit of x.lock: 0 of 1 packages have known vulnerabilities",
                "  aiohttp: not looked up: not found on PyPI",
            ],
        ),
        (
            [UNKNOWN],
            ["audit of x.lock: could not ask: the index has no advisories for any package"],
        ),
    ],
)
def test_what_was_found_is_told(packages: list[dict[str, Any]], expected: list[str]) -> None:
    assert said(*packages) == expected


@pytest.mark.parametrize("report", ["", "{}", "Traceback"])
def test_that_nobody_could_be_asked_is_told(report: str) -> None:
    told = list(describe("x.lock", Answer(report, "Traceback\nConnectionError: index.example\n")))
    assert told == ["audit of x.lock: could not ask: ConnectionError: index.example"]


def test_a_vulnerability_without_a_fix_is_told() -> None:
    bad = {**BAD, "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}
    assert said(bad)[1] == "  pyyaml 5.3: PYSEC-2; fixed in no version yet"

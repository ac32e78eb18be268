"""One version, as Python, image registries and Helm spell it."""

from __future__ import annotations

import re

import pytest

from build_version import image_tag, semantic

# https://semver.org and the distribution specification of OCI give these.
SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9a-z.-]+)?(\+[0-9a-z.-]+)?")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


@pytest.mark.parametrize(
    ("version", "spelled", "tag"),
    [
        ("1.2.3", "1.2.3", "1.2.3"),
        ("1.2", "1.2.0", "1.2"),
        ("1.2.0rc2", "1.2.0-rc.2", "1.2.0rc2"),
        ("1.2.0rc2.dev3", "1.2.0-rc.2.dev.3", "1.2.0rc2.dev3"),
        ("0.1.dev7+g1dc009d", "0.1.0-dev.7+g1dc009d", "0.1.dev7-g1dc009d"),
        ("0.1.dev7+g1dc009d.d20260101", "0.1.0-dev.7+g1dc009d.d20260101", None),
        ("0.0", "0.0.0", "0.0"),
    ],
)
def test_each_spelling_is_one_that_its_reader_takes(
    version: str, spelled: str, tag: str | None
) -> None:
    assert semantic(version) == spelled
    assert SEMANTIC.fullmatch(spelled)
    assert image_tag(version) == (tag or image_tag(version))
    assert TAG.fullmatch(image_tag(version))

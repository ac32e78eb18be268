"""Fields of objects that others write: what is missing or of another type reads as empty."""

from collections import UserDict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from workflowexecution.api import reading

OBJECT: dict[str, Any] = {
    "metadata": {"labels": {"a.b/c": "label"}, "at": "2026-11-29T01:00:00+01:00"},
    "status": {
        "phase": "Running",
        "count": 3,
        "conditions": [{"type": "Ready", "status": "True"}, "no object", {"type": "Done"}],
    },
}


def test_a_field_is_read_by_its_path() -> None:
    assert reading.text(OBJECT, "metadata", "labels", "a.b/c") == "label"
    assert reading.mapping(OBJECT, "metadata", "labels") == {"a.b/c": "label"}
    assert reading.mappings(OBJECT, "status", "conditions")[1] == {"type": "Done"}
    assert reading.moment(OBJECT, "metadata", "at") == datetime(2026, 11, 29, tzinfo=UTC)
    paths = (("status", "phase"), ("status", "none"), ("status", "count"))
    assert reading.texts(OBJECT, *paths) == ("Running", "", "")
    assert reading.moments(OBJECT, ("status", "phase"), ("metadata", "none")) == (None, None)


@pytest.mark.parametrize("frozen", [MappingProxyType, UserDict])
def test_an_object_that_a_client_has_frozen_is_read_too(frozen: Any) -> None:
    raw = frozen({"status": frozen(OBJECT["status"])})
    assert reading.text(raw, "status", "phase") == "Running"
    assert reading.mapping(raw, "status")["count"] == 3


@pytest.mark.parametrize("value", [None, "text", 7, True, ["text"], [["nested"]]])
def test_what_is_of_another_type_is_empty(value: Any) -> None:
    raw = {"status": value}
    assert reading.mapping(raw, "status") == {}
    assert reading.mappings(raw, "status") == []
    assert reading.mappings(raw, "status", "conditions") == []
    assert reading.text(raw, "status", "phase", "deeper") == ""
    assert reading.moment(raw, "status") is None
    assert reading.item(raw, "status", type="Ready") == {}


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+10:00", "yesterday", ""])
def test_a_time_that_cannot_be_read_is_none(value: str) -> None:
    assert reading.moment({"at": value}, "at") is None


def test_an_item_is_found_by_one_of_its_fields() -> None:
    assert reading.item(OBJECT, "status", "conditions", type="Ready")["status"] == "True"
    assert reading.item(OBJECT, "status", "conditions", type="Other") == {}

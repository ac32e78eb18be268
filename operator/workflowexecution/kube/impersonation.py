"""Impersonation by the fields of a user in a kubeconfig, as headers of requests."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from workflowexecution.api.reading import Raw

# What client-go leaves as it is in the name of a header.
_HEADER_MARKS: Final = "!#$&'*+-.^_`|~"
_NOT_ALONE: Final = ("as-uid", "as-groups", "as-user-extra")


def impersonation_of(user: Raw, where: str) -> tuple[tuple[str, str], ...]:
    """Headers by which requests are made as somebody else; ``where`` the user is, for errors.

    Raises: ValueError where a field cannot be obeyed: to drop it would give more rights than
        were asked for.
    """
    name = plain_text(user, "as", f"{where}.as")
    if not name and (alone := [field for field in _NOT_ALONE if user.get(field)]):
        raise ValueError(f"{where}.{alone[0]}: needs {where}.as; say who is to be impersonated")
    headers = [
        ("Impersonate-User", name),
        ("Impersonate-Uid", plain_text(user, "as-uid", f"{where}.as-uid")),
        *(
            ("Impersonate-Group", group)
            for group in _texts(user.get("as-groups"), f"{where}.as-groups")
        ),
        *_extra(user.get("as-user-extra"), f"{where}.as-user-extra"),
    ]
    return tuple((header, value) for header, value in headers if value)


def plain_text(given: Raw, key: str, field: str) -> str:
    """The text of a field, empty for none; ValueError names the field where it is another value."""
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{field}: must be a text without control characters")
    return value


def _texts(value: Any, field: str) -> list[str]:
    given = [] if value is None else value
    if not isinstance(given, list):
        raise ValueError(f"{field}: must be a list of texts")
    return [plain_text({"": item}, "", field) for item in given]


def _extra(value: Any, field: str) -> list[tuple[str, str]]:
    given: Any = {} if value is None else value
    if not isinstance(given, Mapping):
        raise ValueError(f"{field}: must hold a list of texts for each key")
    return [
        (f"Impersonate-Extra-{quote(str(key), safe=_HEADER_MARKS)}", text)
        for key, values in given.items()
        for text in _texts(values, f"{field}[{key}]")
    ]

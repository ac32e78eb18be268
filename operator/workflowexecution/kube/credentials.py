"""The header that proves who asks, or an error that names where that was to come from."""

import base64
from collections.abc import Callable
from typing import Final

# What may stand in a token: no header may have a line end, and no token has a blank.
_TOKEN: Final = frozenset(map(chr, range(0x21, 0x7F)))

Authorization = Callable[[], str | None]


class CredentialError(ValueError):
    """There is nothing to prove with who asks; the text says where that was to come from."""


def bearer(token: str, where: str) -> str:
    """The header of a token, which may stand between white space as files and programs write it.

    Args:
        token: as it was found.
        where: it was found, for the error.
    Raises: CredentialError, which does not quote it, where it is none.
    """
    found = token.strip()
    if not found:
        raise CredentialError(f"{where} holds no token; write one there, or log in again")
    if not _TOKEN.issuperset(found):
        fix = "it must hold one token of printable ASCII characters, and nothing else"
        raise CredentialError(f"{where}: no token: {fix}")
    return f"Bearer {found}"


def basic(user: str, password: str) -> str:
    """The header of a name and a password, to the letter."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

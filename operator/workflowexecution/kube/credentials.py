"""Credentials of requests to the API server, and the authorities that a connection trusts.

kubelet and others may replace these files at any time; a replaced file is read again.
"""

import base64
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

# What may stand in a token: no header may have a line end, and no token has a blank.
_TOKEN: Final = frozenset(map(chr, range(0x21, 0x7F)))

Authorization = Callable[[], str | None]
_Stamp = tuple[int, int, int]


class CredentialError(ValueError):
    """No usable credential; the text names the place where it was expected."""


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
    """The header of a name and a password, exactly as given."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def trust_in(
    authority: Path | str | None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Trust this authority, None for those of the machine; send a client certificate if given."""
    context = ssl.create_default_context(cafile=authority)
    # Strict by default from Python 3.13 on, and then refuses every cluster whose authority has no
    # key identifiers, as that of many managed clusters. The certificate itself is verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def trust_in_anybody(certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Trust any server; send a client certificate if there is one."""
    context = trust_in(None, certificate, key)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def prove_by(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Send this client certificate (PEM, with its key), which OpenSSL reads from files only.

    Raises: OSError where they do not fit each other, or are none.
    """
    with TemporaryDirectory(prefix="wfe-") as folder:
        place = Path(folder) / "pair.pem"
        place.touch(0o600)
        place.write_text(f"{certificate}\n{key}\n")
        context.load_cert_chain(place)


class Token:
    """A token in a file, which is read again as soon as it has been replaced."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: _Stamp | None = None
        self._header = ""

    def header(self) -> str:
        """The value of the header.

        Raises: OSError where there is no such file; CredentialError where it holds no token.
        """
        stamp = _stamp(self._file)
        if stamp != self._seen:
            self._header = bearer(self._file.read_text(errors="replace"), str(self._file))
            self._seen = stamp
        return self._header


class Trust:
    """A TLS context with the authorities in a file, also after kubelet has replaced it.

    Earlier authorities of the file stay trusted until the process ends.
    """

    def __init__(self, authority: Path) -> None:
        self._authority = authority
        self._seen = _stamp(authority)
        self.context = trust_in(authority)

    def refresh(self) -> None:
        """Read the file where it has changed; one that cannot be read is read again later."""
        with suppress(OSError):
            stamp = _stamp(self._authority)
            if stamp != self._seen:
                self.context.load_verify_locations(self._authority)
                self._seen = stamp


def _stamp(file: Path) -> _Stamp:
    """A value that changes when a file is replaced or written again."""
    state = os.stat(file)
    return state.st_ino, state.st_mtime_ns, state.st_size

"""Files that prove who asks and whom to trust; kubelet, and others, replace them at any time."""

import os
from contextlib import suppress
from pathlib import Path

from workflowexecution.kube.credentials import bearer
from workflowexecution.kube.trust import trust_in

_Stamp = tuple[int, int, int]


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
    """A context that trusts whom a file names, also after kubelet has replaced it.

    Whom the file named before stays trusted until the process ends.
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
    """What is different once a file has been replaced or written anew."""
    state = os.stat(file)
    return state.st_ino, state.st_mtime_ns, state.st_size

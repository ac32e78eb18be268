"""The one error that people see: what failed, why, and what to do."""

from __future__ import annotations


class ClusterError(RuntimeError):
    """A cluster could not be built, started or found.

    `detail` is raw evidence (the end of a log), `hint` what the reader can do about it.
    """

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail.strip()
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.detail, self.hint) if part)

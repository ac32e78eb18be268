"""What a request to the API server can come back as, when not with an answer."""

from typing import Final


class ApiError(Exception):
    """A request was not carried out, or it is unknown whether it was."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(ApiError):
    """The object, its namespace or its kind does not exist."""


class AlreadyExistsError(ApiError):
    """An object of this name exists."""


class ConflictError(ApiError):
    """The object has changed since it was read; read it again and decide again."""


class RejectedError(ApiError):
    """The object is invalid, by schema or by an admission webhook; repeating it is no use."""


class ForbiddenError(ApiError):
    """The operator lacks the right, or a quota is exceeded."""


class UnavailableError(ApiError):
    """No definite answer: time-out, lost connection, overload or a server error.

    The request may or may not have been carried out.
    """


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: RejectedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    422: RejectedError,
}


def error_for(status: int, reason: str, message: str) -> ApiError:
    """Build the error for an HTTP status and the ``reason`` of the Status object beside it."""
    if reason == "AlreadyExists":
        return AlreadyExistsError(message, status=status)
    return _BY_STATUS.get(status, UnavailableError)(message, status=status)

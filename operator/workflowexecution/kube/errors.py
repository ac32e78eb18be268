"""Errors of requests to the API server."""

import re
from typing import Final


class ApiError(Exception):
    """A request was not carried out, or it is unknown whether it was.

    ``request`` is what was asked, as method and path; empty where it is not known.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.request = ""


class NotFoundError(ApiError):
    """The object, its namespace or its kind does not exist.

    ``name`` is that of the missing object, as the API server has it in such an answer. Where it is
    empty, the object may exist: the kind or a subresource of it is missing.
    """

    def __init__(self, message: str, *, status: int = 0, name: str = "") -> None:
        super().__init__(message, status=status)
        self.name = name


class AlreadyExistsError(ApiError):
    """An object of this name exists."""


class ConflictError(ApiError):
    """The object has changed since it was read; read it again and decide again."""


class RejectedError(ApiError):
    """The object is invalid or too large, or an admission webhook refuses it; final."""


class ForbiddenError(ApiError):
    """Admission or a quota refuses the object; final."""


class MissingRightError(ForbiddenError):
    """The operator lacks the right; it may be given at any time, for example during an upgrade."""


class NamespaceTerminatingError(ForbiddenError):
    """The namespace is being deleted; one of the same name may be made after it."""


class GoneError(ApiError):
    """The version or the place in a list has expired; begin again."""


class TooLargeError(ApiError):
    """The answer has more bytes than the caller accepts; ask for less."""


class UnavailableError(ApiError):
    """No definite answer: time-out, lost connection, overload or a server error.

    The request may or may not have been carried out. ``retry_after`` is how many seconds the
    server asks to wait, None where it does not.
    """

    def __init__(self, message: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class UnknownCallerError(UnavailableError):
    """The API server does not know the caller: a login has expired, or there was none."""


def text_for_logs(error: BaseException | None) -> str:
    """The part of an error that may be logged: a refusal may quote the content of the object."""
    if isinstance(error, MissingRightError | NamespaceTerminatingError):
        return str(error)
    if isinstance(error, RejectedError | ForbiddenError):
        what = f"{error.request}: {error.status}"
        return f"{what}; the answer may quote the object, so it is not logged"
    return str(error)


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: RejectedError,
    403: ForbiddenError,
    409: ConflictError,
    410: GoneError,
    413: RejectedError,
    422: RejectedError,
}
# The authorizer and admission answer with the same status and reason; only the words differ.
_OF_THE_AUTHORIZER: Final = re.compile(
    r' is forbidden: User ".*" cannot [a-z]+ resource ', re.DOTALL
)
# The request had no valid credential, so the missing right is not of the operator.
_OF_NOBODY: Final = re.compile(r'forbidden: User "system:anonymous" cannot ')
# A policy, and a webhook, may answer with any status: what it denies, it denies for good.
_OF_ADMISSION: Final = re.compile(
    r"""admission webhook ".*" denied the request|AdmissionPolicy '.*' denied request""", re.DOTALL
)
# The API server's answer about a kind that it does not serve; proxies written in Go answer so, too.
KIND_UNKNOWN: Final = "404 page not found"
_CAN_BE_DENIALS: Final = frozenset(range(400, 500)) - {400, 413, 422, 429}


def error_for(
    status: int,
    reason: str,
    message: str,
    *,
    name: str = "",
    cause: str = "",
    retry_after: float | None = None,
    is_of_server: bool = True,
) -> ApiError:
    """Build the error for an HTTP status and the Status object beside it.

    Nothing is missing because a proxy in between says so: its 404 is no answer.

    Args:
        status: HTTP status.
        reason: of the Status object.
        message: of the Status object, or the text of another answer.
        name: of the object that the Status object is about.
        cause: reason of the first cause that the Status object gives.
        retry_after: seconds, where the reply has such a header.
        is_of_server: whether the reply is known to come from the API server itself.
    """
    if reason == "AlreadyExists":
        return AlreadyExistsError(message, status=status)
    if cause == "NamespaceTerminating":
        return NamespaceTerminatingError(message, status=status)
    is_denial = status in _CAN_BE_DENIALS and _OF_ADMISSION.search(message)
    if not is_denial and (status == 401 or (status == 403 and _OF_NOBODY.search(message))):
        return UnknownCallerError(message, status=status)
    if status == 403 and _OF_THE_AUTHORIZER.search(message):
        return MissingRightError(message, status=status)
    if is_denial:
        return ForbiddenError(message, status=status)
    is_missing = reason == "NotFound" or KIND_UNKNOWN in message
    if status == 404 and is_missing and (is_of_server or name):
        return NotFoundError(message, status=status, name=name)
    if status in _BY_STATUS:
        return _BY_STATUS[status](message, status=status)
    return UnavailableError(message, status=status, retry_after=retry_after)

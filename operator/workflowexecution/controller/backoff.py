"""How long to wait before what failed is tried again."""

import random
from typing import Final

from workflowexecution.kube.errors import UnavailableError

_FIRST_S: Final = 0.2
_LONGEST_S: Final = 30.0
_DOUBLINGS: Final = 10
# A server that asks for more than this is not obeyed to the letter: the lock waits for it too.
_LONGEST_ASKED_S: Final = 60.0


def backoff(error: Exception, attempt: int) -> float:
    """Seconds to wait after attempt number ``attempt``, from 1, ended in an error.

    Soon at first, jittered so that many do not come back together, and never rarer than the
    resync, so that nothing waits longer for an outage's end than it must; at least what the API
    server asked for.

    Not left to a library: what it would make for every pass, of which few fail, is cycles that the
    garbage collector has to look for, at a tenth of all CPU.
    """
    most = min(_FIRST_S * 2 ** min(attempt - 1, _DOUBLINGS), _LONGEST_S)
    asked = error.retry_after if isinstance(error, UnavailableError) else None
    return max(random.uniform(0, most), min(asked or 0.0, _LONGEST_ASKED_S))  # noqa: S311

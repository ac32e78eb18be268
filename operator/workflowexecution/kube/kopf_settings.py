"""kopf, and how it is set up: it watches and calls handlers, keeps nothing and writes nothing.

It is imported without the official client, which kopf imports where that is installed: only to
recognise that client's typed objects, of which it never gets one here. They cost 10 MB.
"""

import sys
from typing import Any, Final

from workflowexecution.kube.retry import EndlessWaits
from workflowexecution.kube.watch_stream import LASTS_S, PAUSE_S, SILENCE_S

_IS_LOADED = "kubernetes" in sys.modules
if not _IS_LOADED:
    # What is None here cannot be imported; kopf then goes without it.
    sys.modules["kubernetes"] = None  # type: ignore[assignment]
try:
    import kopf
finally:
    if not _IS_LOADED:
        del sys.modules["kubernetes"]

__all__ = ["forgetful_memories", "kopf", "new_settings", "set_up"]

_REQUEST_S: Final = 15.0
_CONNECT_S: Final = 5.0
# One worker calls the handlers of a watch, and is kept; to begin one costs more than an event.
_WORKER_RESTS_S: Final = 3600.0
_WORKER_ENDS_WITHIN_S: Final = 0.5


def new_settings() -> kopf.OperatorSettings:
    """Settings that hold before any handler is called."""
    settings = kopf.OperatorSettings()
    # kopf would have this process killed some minutes after it has ended, also where it was begun
    # again meanwhile.
    settings.process.ultimate_exiting_timeout = None
    return settings


def set_up(settings: kopf.OperatorSettings) -> None:
    """Set kopf up; what is not named here is never used."""
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    # kopf takes its own finalizer away from what it has no handlers for, also another operator's.
    settings.persistence.finalizer = "kubernaut.ai/never-set"
    settings.queueing.idle_timeout = _WORKER_RESTS_S
    settings.queueing.exit_timeout = _WORKER_ENDS_WITHIN_S
    settings.networking.request_timeout = _REQUEST_S
    settings.networking.connect_timeout = _CONNECT_S
    settings.networking.error_backoffs = EndlessWaits()
    settings.watching.server_timeout = LASTS_S
    settings.watching.connect_timeout = _CONNECT_S
    settings.watching.inactivity_timeout = SILENCE_S
    settings.watching.reconnect_backoff = PAUSE_S
    # A list only tells where to begin.
    settings.watching.chunk_size = 1


def forgetful_memories() -> Any:
    """No memory of objects: kopf's own keeps a record of each until it is deleted."""
    from kopf._core.reactor.inventory import ResourceMemories

    class Forgetful(ResourceMemories):
        async def recall(self, raw_body: Any, **options: Any) -> Any:
            return await super().recall(raw_body, **{**options, "ephemeral": True})

    return Forgetful()


class NoDiffBase(kopf.DiffBaseStorage):
    """No last-handled state: kopf's own deep-copies every object it gets."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """No handler progress: nothing we register has any."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence

    def flush(self) -> None:
        return None

"""kopf without the official client, which it imports where that is installed.

kopf only wants to recognise that client's typed objects, and is never given any. They cost 10 MB.
"""

import sys

_IS_LOADED = "kubernetes" in sys.modules
if not _IS_LOADED:
    # What is None here cannot be imported; kopf then goes without it.
    sys.modules["kubernetes"] = None  # type: ignore[assignment]
try:
    import kopf
finally:
    if not _IS_LOADED:
        del sys.modules["kubernetes"]

__all__ = ["kopf"]

"""Decodes answers of the API server: whole, or only the fields that are read."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import msgspec

# From JSON to what it holds. Raises: ValueError where the text is no JSON.
Decode = Callable[[bytes], Any]

# The API server takes objects that are nested 10,000 deep; Python's own limit is a tenth of it.
_DEEPEST: Final = 12_000
_STACK_BYTES: Final = 64 * 2**20

_WHOLE: Final = msgspec.json.Decoder()


def decode_whole(text: bytes) -> Any:
    """Decode everything. Raises: ValueError where the text is no JSON."""
    return _decode(_WHOLE, text)


def decode_only(shape: Any) -> Decode:
    """Decode no more than what a ``TypedDict`` names; what has another shape is decoded whole."""
    decoder = msgspec.json.Decoder(shape)

    def decode(text: bytes) -> Any:
        try:
            return _decode(decoder, text)
        except msgspec.ValidationError:
            # One odd object must not cost the sight of all others: its reader copes with it.
            return decode_whole(text)

    return decode


def _decode(decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except RecursionError:
        return _decode_deep(decoder, text)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _decode_deep(decoder: msgspec.json.Decoder[Any], text: bytes) -> Any:
    """Decode what is nested deeper than Python allows; ValueError where it is too deep for us.

    In a thread, because the stack of the main one may be too small. Not to decode it would cost
    the sight of everything that comes after it in the same stream, or beside it in a list.
    """
    with _deep_recursion(), ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(decoder.decode, text).result()
        except RecursionError as error:
            raise ValueError(str(error)) from error


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Threads begun within the block have room for the deepest recursion, which is allowed."""
    limit, stack = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
    sys.setrecursionlimit(_DEEPEST)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)

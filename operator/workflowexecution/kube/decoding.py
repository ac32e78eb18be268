"""What the API server sends, from bytes to objects: whole, or no more of it than is read."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

# From JSON to what it holds. Raises: ValueError where the text is no JSON.
Decode = Callable[[bytes], Any]

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
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error

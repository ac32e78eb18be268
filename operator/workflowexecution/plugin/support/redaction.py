"""Takes secrets out of a support bundle: only known fields are kept, and known values are masked.

Fields are kept by an allow-list, so a field that nobody has thought of is left out. Text that is
kept, such as log lines, is searched for the values of parameters and for what looks like a secret.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

MASKED: Final = "(masked)"
# A shorter value is part of too many other words; it is still masked where it is a field.
_SHORTEST: Final = 6
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_KNOWN_KEYS: Final = re.compile(
    r"(app\.kubernetes\.io|kubernetes\.io|tekton\.dev)/.*"
    r"|kubernaut\.ai/(workflow|source|target|shard|keep|metrics).*|pod-template-hash"
)
_SECRETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)",
        r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?",
        r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}",
        r"(?<=://)[^\s/@\"']+(?=@)",
        r"(?i)(?:pass(?:word|wd)?|secret|token|api[_-]?key|access[_-]?key|credential)[\w-]*"
        r"[\"']?\s*[=:]\s*[\"']?[^\s\"'&,;}]+",
    )
)


class Keep(Enum):
    """The way in which a field is kept.

    WHOLE: as it is. KEYS: its keys, with masked values. KNOWN: values of known keys, as in labels.
    TEXT: a message, which may quote anything: masked, unless messages are asked for.
    """

    WHOLE = "whole"
    KEYS = "keys"
    KNOWN = "known"
    TEXT = "text"


Shape = Keep | Mapping[str, "Shape"]


class Redactor:
    """Masks what it has learnt to be secret, and what looks like it.

    with_messages: whether messages are kept; what is known to be secret is masked in them, too.
    """

    def __init__(self, *, with_messages: bool = False) -> None:
        self._with_messages = with_messages
        self._values: set[str] = set()
        self._names: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, value: Any) -> None:
        """Mask every text in this value, in each form in which it may be quoted."""
        for text in _texts_in(value):
            for part in {text, text.strip(), *text.splitlines()}:
                if len(part) >= _SHORTEST:
                    encoded = b64encode(part.encode(errors="replace")).decode().rstrip("=")
                    self._values |= {part, json.dumps(part)[1:-1], encoded}
        self._pattern = None

    def spare(self, names: Iterable[str]) -> None:
        """Do not mask these names, which objects have, even where a parameter has them as well."""
        self._names |= set(names)
        self._pattern = None

    def text(self, text: str) -> str:
        """The text with masks in place of secrets."""
        for pattern in _SECRETS:
            text = pattern.sub(MASKED, text)
        if self._pattern is None:
            values = sorted(self._values - self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, values)) or r"(?!)")
        return self._pattern.sub(MASKED, text)

    def document(self, value: Any) -> Any:
        """The value with masks in place of secrets in each of its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return value

    def shaped(self, value: Any, shape: Shape) -> Any:
        """The part of an object that its shape names; a field of another type is masked."""
        if shape is Keep.WHOLE or value is None:
            return value
        if shape is Keep.TEXT:
            return value if self._with_messages else MASKED
        if isinstance(value, list):
            return [self.shaped(item, shape) for item in value]
        if not isinstance(value, Mapping):
            return MASKED
        if shape is Keep.KEYS:
            return dict.fromkeys(value, MASKED)
        if shape is Keep.KNOWN:
            kept = {key: item for key, item in value.items() if key != _LAST_APPLIED}
            return {
                key: item if _KNOWN_KEYS.fullmatch(key) else MASKED for key, item in kept.items()
            }
        assert isinstance(shape, Mapping)
        return {key: self.shaped(value[key], shape[key]) for key in value if key in shape}


def _texts_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)

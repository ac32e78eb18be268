"""JSONPath as kubectl has it, for `-o jsonpath` and `-o custom-columns`.

A template is text with parts in braces: `{.items[*].metadata.name}`, and
`{range .items[*]}…{end}`. Missing fields are empty.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_Step = Callable[[Any], list[Any]]
_TOKENS: Final = re.compile(
    r"""
    (?P<deep>\.\.(?=[\w*\\'-]))
    | \.?\[(?P<index>\*|-?\d+(?:,-?\d+)*|-?\d*:-?\d*(?::\d+)?)\]
    | \.?\[(?P<names>(?:'[^']*'|"[^"]*")(?:,(?:'[^']*'|"[^"]*"))*)\]
    | \.?\[\?\((?P<test>[^()]*)\)\]
    | (?P<every>\.?\*)
    | \.?(?P<name>(?:\\.|[\w/-])+)
    """,
    re.VERBOSE,
)
_TEST: Final = re.compile(
    r"\s*@(?P<path>\S*?)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>.+?)\s*)?"
)
_PARTS: Final = re.compile(r"""\{((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}""")
_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


@dataclass(frozen=True, slots=True)
class _Range:
    over: Sequence[_Step]
    body: "Sequence[_Part]"


_Part = str | Sequence[_Step] | _Range


def fill(template: str, document: Any) -> str:
    """The template with the values of a document, which consists of what JSON can hold.

    Raises: ValueError where the template cannot be read.
    """
    parts = iter(_parts(template))
    return _filled(_parsed(parts, template, within=False), document)


def values_at(path: str, document: Any) -> list[Any]:
    """The values at one path, with or without braces and its first dot; missing ones left out.

    Raises: ValueError where the path cannot be read.
    """
    return _walk(_steps(path.strip().removeprefix("{").removesuffix("}")), document)


def text_of(value: Any) -> str:
    """A value as text: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parts(template: str) -> Iterator[tuple[bool, str]]:
    """The parts of a template, each with whether it was in braces."""
    end = 0
    for found in _PARTS.finditer(template):
        yield False, template[end : found.start()]
        yield True, found[1].strip()
        end = found.end()
    rest = template[end:]
    if "{" in rest or "}" in rest:
        raise ValueError(f"{rest!r} has a brace without the other one")
    yield False, rest


def _parsed(parts: Iterator[tuple[bool, str]], template: str, *, within: bool) -> list[_Part]:
    found: list[_Part] = []
    for is_path, text in parts:
        if not is_path:
            found.append(text)
        elif text == "end" and within:
            return found
        elif text.startswith("range "):
            over = _steps(text.removeprefix("range ").strip())
            found.append(_Range(over, _parsed(parts, template, within=True)))
        elif quoted := _QUOTED.fullmatch(text):
            found.append(_unescaped(quoted[2]))
        else:
            found.append(_steps(text))
    if within:
        raise ValueError("{range} has no {end}")
    return found


def _unescaped(text: str) -> str:
    marks = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: marks.get(found[1], found[1]), text)


def _filled(parts: Sequence[_Part], document: Any) -> str:
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, _Range):
            found += [_filled(part.body, item) for item in _walk(part.over, document)]
        else:
            found.append(" ".join(map(text_of, _walk(part, document))))
    return "".join(found)


def _walk(steps: Sequence[_Step], document: Any) -> list[Any]:
    found = [document]
    for step in steps:
        found = [value for item in found for value in step(item)]
    return found


def _steps(path: str) -> list[_Step]:
    steps: list[_Step] = []
    rest = path[1:] if path[:1] in ("$", "@") else path
    while rest not in ("", "."):
        token = _TOKENS.match(rest)
        if token is None:
            raise ValueError(f"{path!r} is no path: {rest!r} cannot be read")
        steps.append(_step(token))
        rest = rest[token.end() :]
    return steps


def _step(token: re.Match[str]) -> _Step:
    if token["deep"]:
        return _everything_in
    if token["every"] or token["index"] == "*":
        return _children
    if token["index"]:
        return _at(token["index"])
    if token["names"]:
        names = [name[1:-1] for name in re.findall(r"'[^']*'|\"[^\"]*\"", token["names"])]
        return lambda item: [value for name in names for value in _field(item, name)]
    if token["test"] is not None:
        return _those_with(token["test"])
    name = re.sub(r"\\(.)", r"\1", token["name"])
    return lambda item: _field(item, name)


def _field(item: Any, name: str) -> list[Any]:
    return [item[name]] if isinstance(item, dict) and item.get(name) is not None else []


def _children(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else _list(item)


def _everything_in(item: Any) -> list[Any]:
    children = _children(item)
    return [item, *(value for child in children for value in _everything_in(child))]


def _list(item: Any) -> list[Any]:
    return item if isinstance(item, list) else []


def _at(index: str) -> _Step:
    if ":" in index:
        bounds = [int(text) if text else None for text in index.split(":")]
        return lambda item: _list(item)[slice(*bounds)]
    places = [int(text) for text in index.split(",")]
    return lambda item: [
        _list(item)[place] for place in places if -len(_list(item)) <= place < len(_list(item))
    ]


def _those_with(test: str) -> _Step:
    found = _TEST.fullmatch(test)
    if found is None:
        raise ValueError(f"?({test}) is no test; write it like ?(@.type=='Succeeded')")
    steps = _steps(found["path"])
    if not found["sign"]:
        return lambda item: [value for value in _children(item) if _walk(steps, value)]
    compare, wanted = _SIGNS[found["sign"]], _literal(found["value"])

    def matches(item: Any) -> bool:
        return any(type(one) is type(wanted) and compare(one, wanted) for one in _walk(steps, item))

    return lambda item: [value for value in _children(item) if matches(value)]


def _literal(text: str) -> Any:
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no value; write a text in quotes, or a number") from error

"""The rules by which the API server refuses a changed spec: changed in meaning, not in spelling.

A client with types of its own writes an object back in its own spelling: Go writes ``30m`` as
``30m0s`` and leaves out what is empty. One rule for each field, made from the models, so that no
field can be forgotten.
"""

import types
import typing

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workflowexecution.api.spec import DURATION_FIELDS, WorkflowExecutionSpec

# A word that CEL keeps for itself.
_ESCAPED = {"namespace": "__namespace__"}
_EMPTY = {str: "''", float: "0.0"}


def unchanged_spec() -> str:
    """A CEL expression over ``self`` and ``oldSelf``, both specs: whether they mean the same."""
    return " && ".join(_same(WorkflowExecutionSpec, "self", "oldSelf"))


def _same(model: type[BaseModel], new: str, old: str) -> list[str]:
    return [_same_field(name, field, new, old) for name, field in model.model_fields.items()]


def _same_field(name: str, field: FieldInfo, new: str, old: str) -> str:
    alias = _ESCAPED.get(name, field.alias or name)
    kind = _type_of(field)
    a, b = f"{new}.{alias}", f"{old}.{alias}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = " && ".join(_same(kind, a, b))
        if field.is_required():
            return inner
        return f"(has({a}) ? (has({b}) && {inner}) : !has({b}))"
    if typing.get_origin(kind) is dict:
        return (
            f"(has({a}) && size({a}) > 0 ? (has({b}) && {a} == {b}) "
            f": (!has({b}) || size({b}) == 0))"
        )
    if name in DURATION_FIELDS:
        same = f"duration({a}) <= duration({b}) && duration({a}) >= duration({b})"
        return f"(has({a}) ? (has({b}) && {same}) : !has({b}))"
    if field.is_required():
        return f"{a} == {b}"
    empty = _EMPTY[kind]
    # Written so that the API server can tell what it costs: of a chosen value it does not know the
    # length, and refuses the rule.
    return (
        f"(has({a}) && {a} != {empty} ? (has({b}) && {a} == {b}) : (!has({b}) || {b} == {empty}))"
    )


def _type_of(field: FieldInfo) -> typing.Any:
    """The type of a field, or of what is in it where it is optional."""
    kind = field.annotation
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind = next(item for item in typing.get_args(kind) if item is not type(None))
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind

"""`docs/reference/definition.md`, made from the CustomResourceDefinition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docgen.words import cell
from workflowexecution.api.crd import build_crd

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "definition.md"
HEAD = """# WorkflowExecution

Every field of the definition `{group}/{version}`. This page is made from it by `make docs`;
`kubectl explain wfe.spec` prints the same. The API server refuses an object that breaks a
rule, and names the rule. [Orchestrators](../orchestrators.md) shows how to write an execution,
[reading a status](../reading-a-status.md) how to read its status.

Kind `{kind}`, plural `{plural}`, short name `{short}`, category `{category}`; namespaced.
"""
LIMITS = {
    "enum": "one of {}",
    "minLength": "not empty",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxProperties": "at most {} entries",
    "format": "format {}",
}
Schema = dict[str, Any]


def page() -> str:
    """The whole page, as Markdown."""
    spec = build_crd()["spec"]
    (version,) = spec["versions"]
    schema, names = version["schema"]["openAPIV3Schema"], spec["names"]
    head = HEAD.format(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        short=names["shortNames"][0],
        category=names["categories"][0],
    )
    spec_schema, status = schema["properties"]["spec"], schema["properties"]["status"]
    return "\n".join(
        [
            head,
            "## spec\n",
            *_rules(spec_schema),
            *_table(spec_schema),
            "\n## status\n",
            *_rules(schema),
            *_table(status),
            "\n## Columns of `kubectl get`\n",
            "| Column | Shows | |\n|---|---|---|",
            *_columns(version["additionalPrinterColumns"]),
            "\n## Field selectors\n",
            "`kubectl get wfe -A --field-selector NAME=VALUE` works with these:\n",
            *[f"- `{item['jsonPath'].lstrip('.')}`" for item in version["selectableFields"]],
            "",
        ]
    )


def _table(schema: Schema) -> list[str]:
    rows = [
        f"| `{path}`{' *' if is_needed else ''} | {_type(item)} | {_words(item)} |"
        for path, item, is_needed in _fields(schema)
    ]
    return ["Fields marked * are required.\n", "| Field | Type | |\n|---|---|---|", *rows]


def _fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Every field below this one, parents first: its path, its schema, whether it is required."""
    needed = schema.get("required", ())
    for name, item in schema.get("properties", {}).items():
        yield prefix + name, item, name in needed
        yield from _fields(item, f"{prefix}{name}.")
        if item.get("type") == "array":
            yield from _fields(item["items"], f"{prefix}{name}[].")


def _type(item: Schema) -> str:
    kind = str(item.get("type", "any"))
    if kind == "array":
        return f"list of {_type(item['items'])}"
    return "map of strings" if "additionalProperties" in item else kind


def _words(item: Schema) -> str:
    default = item.get("default")
    parts = [str(item.get("description", ""))]
    parts += [f"Default `{default}`."] if default not in (None, {}, []) else []
    limits = [words.format(_value(item[key])) for key, words in LIMITS.items() if key in item]
    parts += [_sentence(limits)]
    parts += [f"Rule: {message}." for message in _messages(item)]
    each = item.get("additionalProperties", {})
    parts += [f"Rule of each value: {message}." for message in _messages(each)]
    return cell(" ".join(filter(None, parts)))


def _value(value: object) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(f"`{one}`" if isinstance(one, str) else str(one) for one in values)


def _messages(item: Schema) -> list[str]:
    return [rule["message"] for rule in item.get("x-kubernetes-validations", ())]


def _rules(item: Schema) -> list[str]:
    return [*(f"- Rule: {message}." for message in _messages(item)), ""]


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _columns(columns: list[Schema]) -> list[str]:
    wide = "with `-o wide`"
    return [
        f"| {item['name']} | `{item['jsonPath']}` | {wide if item.get('priority') else ''} |"
        for item in columns
    ]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

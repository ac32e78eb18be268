"""`docs/reference/components.md`, made from the optional parts of `manifests/`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

MANIFESTS = Path(__file__).parents[2] / "manifests"
PAGE = MANIFESTS.parent / "docs" / "reference" / "components.md"
HEAD = """# Components and policies

Each component in `manifests/components` adds one part to an installation. This page is made from
them by `make docs`. [Confine rights](../how-to/confine-rights.md) shows how to combine them;
[security](../security.md) says which risks they reduce, and which not.

| Component | Adds or changes |
|---|---|
"""
POLICIES = """
## What the policies refuse

Each message is the answer of the API server to a refused request; `…` stands for the refused value.
"""
Object = dict[str, Any]


def page() -> str:
    """The whole page, as Markdown."""
    folders = sorted(path.parent for path in MANIFESTS.glob("components/*/kustomization.yaml"))
    rows = [f"| [`{one.name}`](#{one.name}) | {', '.join(_changes(one))} |" for one in folders]
    about = [line for folder in folders for line in _about(folder)]
    policies = [line for folder in folders for line in _policies(folder)]
    return "\n".join([HEAD + "\n".join(rows), *about, POLICIES, *policies, ""])


def _changes(folder: Path) -> list[str]:
    added = [f"{item['kind']} `{item['metadata']['name']}`" for item in _objects(folder)]
    component = yaml.safe_load((folder / "kustomization.yaml").read_text())
    targets = [_target_of(patch) for patch in component.get("patches", ())]
    changed = [f"changes {one['kind']} `{one['name']}`" for one in targets]
    changed += ["changes every object that names them"] * bool(component.get("replacements"))
    return [text for text in added + changed if "Binding" not in text or "Role" in text]


def _target_of(patch: Object) -> Object:
    """Kind and name of what a patch changes: told apart, or within the patch itself."""
    if "target" in patch:
        return dict(patch["target"])
    whole = yaml.safe_load(patch["patch"])
    return {"kind": whole["kind"], "name": whole["metadata"]["name"]}


def _about(folder: Path) -> list[str]:
    """The comment of a component, as prose and examples in turn."""
    lines = [f"\n## {folder.name}\n"]
    comment = _head_comment(folder / "kustomization.yaml")
    for is_example, group in groupby(comment, lambda line: line.startswith("  ")):
        if is_example:
            lines += ["\n```yaml", *(line[2:] for line in group), "```\n"]
        else:
            text = " ".join(group)
            lines.append(text[:1].upper() + text[1:])
    return lines


def _head_comment(path: Path) -> list[str]:
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" "))
    return lines


def _policies(folder: Path) -> Iterator[str]:
    for item in _objects(folder):
        if item["kind"] != "ValidatingAdmissionPolicy":
            continue
        rules = item["spec"]["matchConstraints"]["resourceRules"]
        what = ", ".join(
            f"{', '.join(one['operations'])} of {', '.join(one['resources'])}" for one in rules
        )
        yield f"\n### {item['metadata']['name']}\n"
        yield f"Component `{folder.name}`; asked at {what}.\n"
        for rule in item["spec"]["validations"]:
            yield f"- {_message(rule)}"


def _message(rule: Object) -> str:
    """The refusal in words; parts that CEL puts in are dots."""
    if "message" in rule:
        return f"{rule['message']}"
    parts = []
    for part in _terms(rule["messageExpression"]):
        quote = part[0]
        is_text = quote in "\"'" and part[-1] == quote
        parts.append(part[1:-1] if is_text else "…")
    return " ".join("".join(parts).split())


def _terms(expression: str) -> list[str]:
    """The terms of a CEL expression joined by `+`; a plus within quotes is text."""
    terms, current, quote = [], "", ""
    for character in expression:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "+":
            terms.append(current.strip())
            current = ""
            continue
        current += character
    return [*terms, current.strip()]


def _objects(folder: Path) -> list[Object]:
    paths = sorted(path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml")
    found = [item for path in paths for item in yaml.safe_load_all(path.read_text())]
    # Beside objects there are lists of replacements, and files with nothing in them.
    return [item for item in found if isinstance(item, dict)]


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

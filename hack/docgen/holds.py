"""`docs/reference/workflowhold.md`, made from the definition of holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workflowexecution.api.hold import build_hold_crd

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "workflowhold.md"
HEAD = """# WorkflowHold

Keeps new workflows from being launched. Holds are in the execution namespace; see
[stop and guard](../how-to/stop-and-guard.md). This page is made from the definition by `make docs`.
"""


def page() -> str:
    """The whole page, as Markdown."""
    crd = build_hold_crd()["spec"]
    (version,), names = crd["versions"], crd["names"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    short = ", ".join(f"`{name}`" for name in names["shortNames"])
    rows = [_row(name, field, spec) for name, field in spec["properties"].items()]
    rules = [f"- {rule['message']}" for rule in spec["x-kubernetes-validations"]]
    return "\n".join(
        [
            HEAD,
            f"`{crd['group']}/{version['name']}`, {crd['scope'].lower()}, short name {short}.\n",
            "## spec\n",
            "| Field | Type | Required | |\n|---|---|---|---|",
            *rows,
            "\nThe API server also holds it to these rules:\n",
            *rules,
            "",
        ]
    )


def _row(name: str, field: dict[str, Any], spec: dict[str, Any]) -> str:
    kind = field.get("format") or field["type"]
    required = "yes" if name in spec["required"] else ""
    return f"| `{name}` | {kind} | {required} | {field['description']} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

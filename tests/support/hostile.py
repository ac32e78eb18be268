"""Values that nobody sane would write, and statuses as Tekton might write them on a bad day."""

import json
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

RECORDED: Final = [
    recording
    for path in sorted((Path(__file__).parents[1] / "recorded").glob("*.json"))
    if (recording := json.loads(path.read_text()))["pipelineRun"] is not None
]
# Longer than any field of a status may be.
HUGE: Final = "x" * 70_000
ODD_TEXTS: Final = (
    "",
    " ",
    "\n",
    "\u0000",
    "\u202e\u2066",
    "\U0001f4a5" * 40,
    "../../secrets",
    "{{ x }}$(params.x)`id`",
    "null",
    "1e309",
    HUGE,
    "9999-99-99T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-01-02T12:00:00+14:00",
    "True",
    "Succeeded",
    "Cancelled",
)
ODD_NUMBERS: Final = (0, -1, 137, 2**31, 2**63 - 1, -(2**63), 1.5)
texts = st.one_of(
    st.sampled_from(ODD_TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
scalars = st.one_of(st.none(), st.booleans(), st.sampled_from(ODD_NUMBERS), texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, raw: dict[str, Any]) -> dict[str, Any]:
    """An object of which a few parts, at any depth, are something else, gone or there twice."""
    result: dict[str, Any] = json.loads(json.dumps(raw))
    for _ in range(draw(st.integers(1, 4))):
        _change(draw, result)
    return result


def _change(draw: st.DrawFn, node: Any) -> None:
    """Go down at random, and change what is found there."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not places:
            return
        place = draw(st.sampled_from(places))
        below = node[place]
        if isinstance(below, dict | list) and below and draw(st.integers(0, 3)):
            node = below
            continue
        match draw(st.sampled_from(["other", "gone", "twice"])):
            case "gone":
                del node[place]
            case "twice" if isinstance(node, list):
                node.append(below)
            case _:
                node[place] = draw(values)
        return


# The fields of a run's status that most is made from.
told = st.fixed_dictionaries(
    {
        "conditions": st.fixed_dictionaries(
            {
                "type": st.just("Succeeded"),
                "status": st.sampled_from(["True", "False", "Unknown"]),
                "reason": texts,
                "message": texts | st.just(HUGE),
            }
        ).map(lambda condition: [condition])
    },
    optional={
        "startTime": texts,
        "completionTime": texts,
        "pipelineSpec": values,
        "childReferences": values,
        "provenance": values,
    },
)


@st.composite
def tekton(draw: st.DrawFn) -> tuple[Any, Any, list[Any]]:
    """Status and spec of a run, and its TaskRuns: as recorded, changed, or anything."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(values), draw(values), draw(st.lists(values, max_size=2))
    recording = draw(st.sampled_from(RECORDED))
    run = draw(changed({key: recording["pipelineRun"].get(key, {}) for key in ("status", "spec")}))
    tasks = [draw(changed(task)) for task in recording["taskRuns"]]
    return draw(told) if kind == 1 else run.get("status"), run.get("spec"), tasks

"""W2: a thousand executions on one target at once; one is launched, the others are skipped."""

from __future__ import annotations

from benchmarks.costs import costs_of
from benchmarks.meter import measured
from benchmarks.workloads import Context, Result

EXECUTIONS, LIFE_S = 1000, 20.0


def run(context: Context) -> Result:
    """Play it; the run outlives the storm, so all others find the target held."""
    rig = context.rig
    ground = rig.ground()
    what = {"executions": EXECUTIONS, "target": "payment/Deployment/hot", "run_events": 3}
    with rig.operator(ground) as operator:
        seen, cost = measured(rig, operator, ground, life_s=LIFE_S, **what)
    skipped = sorted(one["ended"] for one in seen.seen if one["phase"] == "Skipped")
    kinds = cost.asked.kinds
    values = {
        "runs": seen.runs,
        "completed": seen.count("Completed"),
        "skipped": len(skipped),
        "skipped_after_s": skipped[-1] - seen.began if skipped else 0.0,
        "skips_per_s": len(skipped) / (skipped[-1] - seen.began) if skipped else 0.0,
        "status_writes_each": kinds["patch workflowexecutions/status"] / EXECUTIONS,
        "reads": sum(
            number for kind, number in kinds.items() if kind.startswith(("get ", "list "))
        ),
        **costs_of(cost, seen),
    }
    return Result(values)

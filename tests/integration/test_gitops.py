"""Argo CD and Flux: no drift, health that is read right, executions that Git gives and takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from docgen.blocks import ROOT
from go_types.statuses import all_statuses
from harness.chart import CHART, Key, by_name, container_of, only, rendered, rendered_with
from harness.executions import execution, name_of
from harness.kubectl import kubectl
from harness.waiting import eventually, holds_for
from harness.world import World
from localcluster import Tier, checkers, lifecycle
from localcluster.cluster import Cluster, Object
from localcluster.overlays import MANIFESTS, overlay
from localcluster.programs import HEALTH

PAGE = ROOT / "docs/how-to/gitops.md"
ARGO_CD, FLUX = "argocd-controller", "kustomize-controller"
STATUSES = all_statuses()
CANCEL = "patch pipelineruns"
# By phase: what kstatus, and so Flux, makes of it, and what the page has Argo CD make of it.
HEALTHS = {
    "": ("InProgress", "Progressing"),
    "Pending": ("InProgress", "Progressing"),
    "Running": ("InProgress", "Progressing"),
    "Completed": ("Current", "Healthy"),
    "Skipped": ("Current", "Healthy"),
    "Failed": ("Failed", "Degraded"),
}
# Long enough for a second cancel to show itself.
QUIET_S = 1.0


def _kustomized(folder: str) -> list[Any]:
    return checkers.kustomized(MANIFESTS / folder)


def _of_the_chart(*flags: str) -> list[Any]:
    return list(rendered(*flags).values())


def _with_the_patch_of_the_page() -> list[Any]:
    """The default, and what the page adds so that it is never pruned."""
    with overlay(resources=[".", "namespaces"], patches=_patches()) as folder:
        return checkers.kustomized(folder)


RENDERED: dict[str, Callable[[], list[Any]]] = {
    "manifests": partial(_kustomized, "."),
    "never-pruned": _with_the_patch_of_the_page,
    **{
        path.parent.name: partial(_kustomized, str(path.parent.relative_to(MANIFESTS)))
        for path in sorted(MANIFESTS.glob("overlays/*/kustomization.yaml"))
    },
    "chart": _of_the_chart,
    "chart-restricted": partial(
        _of_the_chart,
        f"--values={CHART}/profiles/restricted.yaml",
        "--set=statusPage=true,runnerClusterWide=true,commonLabels.team=sre",
        "--set=resources.limits.cpu=1500m",
        '--set-json=policies.targetNamespaces.lists={"team-a": ["payment", "Node/*"]}',
    ),
}


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A cluster that is installed into: policies apply to all of it."""
    with lifecycle.running(Tier.API) as cluster:
        done = kubectl(cluster, "apply", "-k", str(MANIFESTS / "namespaces"))
        assert done.returncode == 0, done.stderr
        yield cluster


@pytest.mark.parametrize("name", RENDERED)
def test_what_is_applied_again_changes_nothing(own: Cluster, name: str) -> None:
    items = RENDERED[name]()
    for manager in (ARGO_CD, FLUX):
        # The variant that was applied before this one says other things.
        _apply(own, items, manager, "--force-conflicts")
    before = _apply(own, items, ARGO_CD)
    after = _apply(own, items, FLUX)

    for key, item in after.items():
        assert _said(item) == _said(before[key])
    drift = [
        found
        for key, wanted in by_name(items).items()
        for found in differences(wanted, after[key], "/".join(key))
    ]
    # What Git says is there as it is written: Argo CD compares the texts of custom kinds.
    assert drift == []


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {"a": "1"}, ["x.a: 1, there: '1'"]),
        ({"a": {}}, {}, ["x.a: {}, there: None"]),
        ({"a": [1]}, {"a": [1, 2]}, ["x.a: [1], there: [1, 2]"]),
        ({"a": [{"b": "1000m"}]}, {"a": [{"b": "1"}]}, ["x.a[0].b: '1000m', there: '1'"]),
    ],
)
def test_the_comparison_sees_what_was_written_another_way(
    wanted: Object, there: Object, found: list[str]
) -> None:
    assert list(differences(wanted, there, "x")) == found


def test_everything_that_holds_data_is_kept_by_the_patch() -> None:
    kept = {"CustomResourceDefinition", "Namespace"}
    for item in _with_the_patch_of_the_page():
        notes = item["metadata"].get("annotations", {})
        is_kept = notes.get("argocd.argoproj.io/sync-options") == "Prune=false,Delete=false"
        assert is_kept == (item["kind"] in kept), item["kind"]
        assert (notes.get("kustomize.toolkit.fluxcd.io/prune") == "disabled") == is_kept


@pytest.mark.parametrize("name", STATUSES)
def test_every_status_is_read_right(name: str, judged: dict[str, tuple[str, str]]) -> None:
    assert judged[name] == HEALTHS[STATUSES[name].get("phase", "")]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Every status that the operator writes, as Flux and as Argo CD sees it."""
    items = [{**_execution("any"), "status": status} for status in STATUSES.values()]
    script = tmp_path_factory.mktemp("argo-cd") / "health.lua"
    script.write_text(_lua())
    both = zip(_healths(items), _healths(items, str(script)), strict=True)
    return dict(
        zip(STATUSES, ((one["status"], other["status"]) for one, other in both), strict=True)
    )


def test_an_execution_is_under_way_until_it_has_ended(
    world: World, target: str, tmp_path: Path
) -> None:
    script = tmp_path / "health.lua"
    script.write_text(_lua())

    def health(item: Object) -> tuple[str, str]:
        ((flux,), (argo_cd,)) = (_healths([item]), _healths([item], str(script)))
        return flux["status"], argo_cd["status"]

    unseen = world.executions.create(execution(target, namespace="default"))
    assert health(unseen) == HEALTHS[""]
    world.executions.delete(unseen)

    item, run = world.launched(target)
    assert health(world.read(item)) == HEALTHS["Running"]
    again = world.ended(world.create(target), "Skipped")
    assert health(again) == HEALTHS["Skipped"]
    world.tekton.succeed(run)
    assert health(world.ended(item, "Completed")) == HEALTHS["Completed"]


def test_an_execution_that_is_pruned_while_it_runs_is_cancelled_once(
    world: World, target: str
) -> None:
    """Argo CD deletes in the foreground, Flux in the background."""
    for number, cascade in enumerate(("foreground", "background")):
        item = execution(f"{target}-{number}", namespace=world.source)
        _apply(world.cluster, [item], ARGO_CD)
        run = world.run_of(world.read(item))
        before = world.proxy.mark()
        how = (f"--namespace={world.source}", f"--cascade={cascade}", "--wait=false")
        done = kubectl(world.cluster, "delete", "wfe", name_of(item), *how)
        assert done.returncode == 0, done.stderr

        def once(before: int = before) -> None:
            asked = [one.kind for one in world.proxy.since(before)]
            assert asked.count(CANCEL) == 1, asked

        eventually(once)
        holds_for(once, QUIET_S)
        cancelled = world.run_now(run)
        assert cancelled is not None
        assert cancelled["spec"]["status"].startswith("Cancelled")


def test_an_execution_that_is_applied_again_runs_once(world: World, target: str) -> None:
    item = execution(target, namespace=world.source)
    for manager in (ARGO_CD, FLUX, ARGO_CD):
        _apply(world.cluster, [item], manager)
    run = world.run_of(seen := world.read(item))
    world.tekton.succeed(run)
    ended = world.ended(seen, "Completed")

    (again,) = _apply(world.cluster, [item], ARGO_CD).values()

    assert again["status"] == ended["status"]
    assert len(world.runs(target)) == 1


def test_an_execution_that_is_gone_and_applied_again_is_another_one(
    world: World, target: str
) -> None:
    """As after retention; what keeps it from running again is the cooldown alone."""
    ended, _ = world.completed(target)
    world.executions.delete(ended)
    world.gone(ended)
    wanted = execution(target, name=name_of(ended), namespace=world.source)

    (again,) = _apply(world.cluster, [wanted], ARGO_CD).values()

    assert again["metadata"]["uid"] != ended["metadata"]["uid"]
    skipped = world.ended(again, "Skipped")
    assert skipped["status"]["skipDetails"]["reason"] == "RecentlyRemediated"


def test_what_the_page_shows_is_taken(world: World, tmp_path: Path) -> None:
    hook = _shown("argocd.argoproj.io/hook: PostSync")
    hook["metadata"]["namespace"] = world.source
    how = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    done = kubectl(world.cluster, *how, feed=yaml.safe_dump(hook))
    assert done.returncode == 0, done.stderr

    for part in ("kind: Application", "kind: HelmRelease"):
        image = "registry.example.com/kubernaut/workflowexecution-operator:0.1.0"
        made = rendered_with(tmp_path, _values(_shown(part)))
        assert container_of(only(made, "Deployment"))["image"] == image


def differences(wanted: Any, there: Any, place: str) -> Iterator[str]:
    """The places in which an object in the cluster differs from the applied one.

    What the API server adds is no difference; an item more in a list is one.
    """
    if isinstance(wanted, dict) and isinstance(there, dict) and wanted:
        for key, value in wanted.items():
            yield from differences(value, there.get(key), f"{place}.{key}")
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for number, (one, other) in enumerate(zip(wanted, there, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif wanted != there:
        yield f"{place}: {wanted!r}, there: {there!r}"


def _apply(
    cluster: Cluster, items: Sequence[Object], manager: str, *more: str
) -> dict[Key, Object]:
    """Apply objects on the server as a field manager; returns them as they are then."""
    shown = ("--output=json", "--show-managed-fields")
    how = ("--server-side", f"--field-manager={manager}", *shown, *more)
    done = kubectl(cluster, "apply", *how, "-f", "-", feed=yaml.safe_dump_all(items))
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    return by_name(answered["items"] if answered["kind"] == "List" else [answered])


def _said(item: Object) -> Object:
    """An object, and the time of each manager's last change, without the part of controllers."""
    meta = item["metadata"]
    managed = {one["manager"]: one.get("time") for one in meta["managedFields"]}
    ours = {manager: managed[manager] for manager in (ARGO_CD, FLUX)}
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**rest, "labels": meta.get("labels"), "uid": meta["uid"], "ours": ours}


def _execution(target: str) -> Object:
    item = execution(target, namespace="default")
    return {**item, "metadata": {**item["metadata"], "generation": 1}}


def _healths(items: Sequence[Object], *script: str) -> list[dict[str, str]]:
    """The health of objects by kstatus, or by a script for Argo CD."""
    feed = "".join(json.dumps(item) + "\n" for item in items)
    done = checkers.run(HEALTH, *script, feed=feed)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _shown(part: str) -> Any:
    """The last object of the one block of YAML of the page with this in it."""
    blocks = PAGE.read_text().split("```yaml\n")[1:]
    (found,) = [block.partition("```")[0] for block in blocks if part in block]
    return list(yaml.safe_load_all(found))[-1]


def _values(item: Object) -> Object:
    """The chart's values in an Application or a HelmRelease."""
    spec = item["spec"]
    return dict(spec["values"] if "values" in spec else spec["source"]["helm"]["valuesObject"])


def _lua() -> str:
    data = _shown("health.workflowexecution.kubernaut.ai_WorkflowExecution")["data"]
    (script,) = data.values()
    return str(script)


def _patches() -> list[Object]:
    return list(_shown("Prune=false,Delete=false")["patches"])

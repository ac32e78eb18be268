"""A token that is made for the page alone: of use there, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness import rights
from harness.page_scene import LISTS
from harness.visits import Guest, guest_with
from harness.world import World, open_world
from localcluster import Cluster
from localcluster.cluster import ApiError

AUDIENCE = "wfe-page.example"


@pytest.fixture(scope="module")
def world(bare_cluster: Cluster) -> Iterator[World]:
    rights.let_review(bare_cluster)
    flags = ("--page=cluster", "--page-port=0", f"--page-audience={AUDIENCE}")
    with open_world(bare_cluster, *flags) as opened:
        yield opened


def _token(world: World, name: str, *audiences: str) -> str:
    """As `kubectl create token --audience` makes it."""
    rights.as_account(world.cluster, world.source, name, {world.source: [LISTS]})
    path = f"/api/v1/namespaces/{world.source}/serviceaccounts/{name}/token"
    spec = {"audiences": list(audiences)} if audiences else {}
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    answer = world.cluster.request("POST", path, {**kind, "spec": spec})
    return str(answer["status"]["token"])


def test_only_a_token_for_the_page_counts_and_it_counts_nowhere_else(world: World) -> None:
    url = world.operator.page_url
    own = _token(world, "own", AUDIENCE)
    assert guest_with(url, own).get("/").status == 200
    assert Guest(url).post("/sign-in", token=own).status == 303
    with pytest.raises(ApiError, match="401"):
        _as_bearer(world, own)
    both = _token(world, "both", "another.example", AUDIENCE)
    assert guest_with(url, both).get("/").status == 200
    for name, audiences in (("full", ()), ("other", ("another.example",))):
        token = _token(world, name, *audiences)
        assert guest_with(url, token).get("/").status == 401
        assert AUDIENCE in Guest(url).post("/sign-in", token=token).text
    _as_bearer(world, _token(world, "again"))


def test_the_page_says_how_to_make_one(world: World) -> None:
    page = Guest(world.operator.page_url).get("/sign-in")
    text = re.sub(r"<[^>]+>", "", page.text)
    assert f"kubectl create token ACCOUNT -n NAMESPACE --audience {AUDIENCE}" in text


def _as_bearer(world: World, token: str) -> None:
    """Ask the API server for something that anybody may ask who is known."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    replace(world.cluster, token=token).request("POST", path, body)

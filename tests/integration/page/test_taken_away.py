"""A right that is taken away from a visitor ends after a short time, as docs/security.md says."""

from __future__ import annotations

from harness import rights
from harness.executions import unique
from harness.page_scene import LISTS, Scene
from harness.visits import Guest, guest_with
from harness.waiting import eventually

TOKEN_S, RIGHT_S = 10.0, 30.0
# For the answer itself, on a busy machine.
SLACK_S = 5.0


def _visitor(scene: Scene, name: str) -> Guest:
    """A visitor who has been shown what they may list."""
    world = scene.world
    who = rights.as_account(world.cluster, world.source, name, {world.source: [LISTS]})
    guest = guest_with(world.operator.page_url, who.token)

    def is_shown() -> None:
        assert scene.running in guest.get("/").body

    eventually(is_shown, dump=world.dump)
    return guest


def test_a_right_that_is_taken_away_is_soon_none(scene: Scene) -> None:
    world, name = scene.world, unique("former")
    guest = _visitor(scene, name)
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{world.source}/rolebindings"
    world.cluster.request("DELETE", f"{bindings}/{world.source}-{name}")

    def is_hidden() -> None:
        page = guest.get("/")
        assert page.status == 200, page.text
        assert scene.running not in page.body
        assert scene.target not in page.body

    eventually(is_hidden, RIGHT_S + SLACK_S, dump=world.dump)
    assert guest.get(f"/executions/{world.source}/{scene.running}").status == 404


def test_a_token_that_is_revoked_is_soon_none(scene: Scene) -> None:
    world, name = scene.world, unique("dismissed")
    guest = _visitor(scene, name)
    accounts = f"/api/v1/namespaces/{world.source}/serviceaccounts"
    world.cluster.request("DELETE", f"{accounts}/{name}")

    def is_shut_out() -> None:
        page = guest.get("/")
        assert page.status == 401, page.text
        assert scene.running not in page.body

    # The API server itself takes up to ten seconds until it refuses the token.
    eventually(is_shut_out, 2 * TOKEN_S + SLACK_S, dump=world.dump)

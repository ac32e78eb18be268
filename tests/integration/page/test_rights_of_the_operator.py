"""An operator that may not ask who its visitors are says so."""

from harness.page_scene import Scene
from harness.rights import without_review
from harness.visits import Page
from harness.waiting import eventually


def _answer(scene: Scene, status: int) -> Page:
    """The answer to a visitor who was never checked before, once the rights are in force."""

    def check() -> Page:
        page = scene.guest(scene.world.source).get("/")
        assert page.status == status, page.text
        return page

    return eventually(check, dump=scene.world.dump)


def test_a_missing_right_is_told_with_its_fix(scene: Scene) -> None:
    with without_review(scene.world.cluster):
        page = _answer(scene, 503)
    assert "the right to create tokenreviews.authentication.k8s.io" in page.text
    assert "add the component status-page" in page.text
    _answer(scene, 200)

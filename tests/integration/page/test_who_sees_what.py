"""The API server decides which visitors are let in, and what each of them sees."""

import re

import pytest

from harness.executions import name_of, unique_target
from harness.holds import REASON, held, waiting_for
from harness.page_scene import EVIL, Scene
from harness.plugin_command import ask
from harness.visits import Guest, guest_with
from harness.waiting import eventually


def _overview(guest: Guest, scene: Scene) -> str:
    """The executions that a guest is shown, once all have been read."""

    def check() -> str:
        page = guest.get("/")
        assert page.status == 200, page.text
        assert "are being read" not in page.text
        return page.text

    return eventually(check, dump=scene.world.dump)


def test_nobody_is_let_in_without_a_token_that_the_cluster_knows(scene: Scene) -> None:
    url = scene.world.operator.page_url
    for guest in (Guest(url), guest_with(url, "nobody"), guest_with(url, "two words")):
        for path in ("/", f"/executions/{scene.world.source}/{scene.running}", "/events"):
            page = guest.get(path)
            assert page.status == 401
            assert scene.target not in page.body
            assert scene.running not in page.body


def test_a_visitor_sees_only_namespaces_they_may_list_executions_in(scene: Scene) -> None:
    ours, theirs = scene.world.sources
    guest = scene.guest(ours)
    text = _overview(guest, scene)
    assert scene.running in text
    assert scene.target in text
    assert theirs not in text
    assert scene.foreign_target not in text
    asked = guest.get(f"/?namespace={theirs}")
    assert scene.foreign not in asked.body
    assert scene.foreign_target not in asked.body
    hidden = guest.get(f"/executions/{theirs}/{scene.foreign}")
    missing = guest.get(f"/executions/{ours}/nothing")
    assert (hidden.status, missing.status) == (404, 404)
    assert hidden.body == missing.body


def test_a_visitor_with_rights_in_both_sees_both(scene: Scene) -> None:
    text = _overview(scene.guest(*scene.world.sources), scene)
    assert scene.target in text
    assert scene.foreign_target in text


def test_an_account_without_rights_sees_nothing(scene: Scene) -> None:
    text = _overview(scene.guest(), scene)
    assert "No execution to show" in text
    assert "No target is held" in text
    assert scene.target not in text


def test_what_is_no_target_is_not_looked_for(scene: Scene) -> None:
    page = scene.guest(scene.world.source).get("/?target=payment/Deployment/$(params.APP)")
    assert page.status == 400
    assert "is not a target; write namespace/kind/name" in page.text


def test_what_others_have_written_is_no_markup(scene: Scene) -> None:
    guest = scene.guest(scene.world.source)
    _overview(guest, scene)
    for path in ("/", f"/executions/{scene.world.source}/{scene.skipped}"):
        page = guest.get(path)
        assert EVIL in page.text
        assert "<img" not in page.body
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy


def test_a_held_target_tells_who_holds_it_and_what_executes(scene: Scene) -> None:
    holder = f"{scene.world.source}/{scene.running}"
    reader = scene.guest(scene.world.source, reads_runs=True).get("/").section("locks")
    assert f"{scene.target} {holder} restart" in reader
    assert "Active task check" in reader
    # Who may not read runs is told no more than the execution's status tells, too.
    other = scene.guest(scene.world.source).get("/").section("locks")
    assert f"{scene.target} {holder} restart" in other
    assert "task check" not in other


def test_a_hold_is_shown_to_whoever_may_list_where_it_is(scene: Scene) -> None:
    world, target = scene.world, unique_target()
    ours, theirs = world.sources
    with held(world, targetResource=target) as hold:
        waiting = world.create(target)
        foreign = world.create(target, namespace=theirs)
        for item in (waiting, foreign):
            waiting_for(world, item)
        line = f"hold-{world.execution_namespace}-{name_of(hold)}"
        told = scene.guest(ours, world.execution_namespace).get("/")
        assert line in told.body
        assert REASON in told.text
        # Of those that wait, their own: what others have is none of their business.
        assert f"{ours}/{name_of(waiting)}" in told.body
        assert name_of(foreign) not in told.body
        for stranger in (scene.guest(), scene.guest(ours)):
            assert line not in stranger.get("/").body
        for item in (waiting, foreign):
            world.executions.delete(item)
    insider = scene.guest(ours, world.execution_namespace)

    def check() -> None:
        assert line not in insider.get("/").body

    eventually(check, dump=world.dump)


def test_the_story_tells_of_tasks_to_whom_may_read_them(scene: Scene) -> None:
    path = f"/executions/{scene.world.source}/{scene.running}"
    story = scene.guest(scene.world.source, reads_runs=True).get(path)
    assert re.search(r"created .* decided launched as .* task started check", story.text)
    story = scene.guest(scene.world.source).get(path)
    assert "decided launched as" in story.text
    assert "task started" not in story.text
    assert "the ClusterRole workflowexecution-run-reader gives it" in story.text


def test_the_story_of_one_that_was_skipped_says_why_and_when_it_may_run(scene: Scene) -> None:
    path = f"/executions/{scene.world.source}/{scene.skipped}"
    why = scene.guest(scene.world.source).get(path).section("why")
    assert f"Because of {scene.world.source}/{scene.running}" in why
    assert "What it means" in why
    assert f"The same may run once {scene.world.source}/{scene.running} has ended" in why


def test_the_story_of_one_that_a_person_cancelled_names_them(scene: Scene) -> None:
    world = scene.world
    item, run = world.launched(unique_target())
    world.tekton.begin(run)
    assert ask(world, "cancel", name_of(item), "--reason", "wrong target").status == 0
    world.tekton.obey_cancel(run)
    world.tekton.stop_tasks(run)
    world.ended(item, "Failed")
    path = f"/executions/{world.source}/{name_of(item)}"
    story = scene.guest(world.source, reads_runs=True).get(path)
    assert "Failed Cancelled" in story.section("facts")
    assert re.search(r"cancelled by \S+: wrong target", story.section("why"))
    assert "audit log" not in story.text
    assert re.search(r"cancelled by \S+: wrong target .*run ended", story.section("timeline"))


def test_the_parameters_of_an_execution_are_nowhere(scene: Scene) -> None:
    world = scene.world
    item = world.create(scene.target, parameters={"SECRET": "hunter2"}, rationale="hunter3")
    item = world.ended(item, "Skipped")
    guest = scene.guest(world.source, reads_runs=True)
    for path in ("/", f"/executions/{world.source}/{item['metadata']['name']}"):
        assert "hunter" not in guest.get(path).body


def test_a_browser_signs_in_with_a_token_and_out_again(scene: Scene) -> None:
    url = scene.world.operator.page_url
    refused = Guest(url).post("/sign-in", token="nobody")
    assert refused.status == 401
    assert "Set-Cookie" not in refused.headers
    answer = Guest(url).post("/sign-in", token=scene.token(scene.world.source))
    cookie = answer.headers["Set-Cookie"]
    assert answer.status == 303
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    signed_in = Guest(url, {"Cookie": cookie.partition(";")[0]})
    assert scene.target in _overview(signed_in, scene)
    gone = signed_in.post("/sign-out").headers["Set-Cookie"]
    assert "Max-Age=0" in gone


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_form_of_another_site_is_refused(scene: Scene, headers: dict[str, str]) -> None:
    guest = Guest(scene.world.operator.page_url, headers)
    answer = guest.post("/sign-in", token=scene.token(scene.world.source))
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


def test_over_a_network_the_token_is_kept_for_https_only(scene: Scene) -> None:
    guest = Guest(scene.world.operator.page_url, {"Host": "status.example"})
    answer = guest.post("/sign-in", token=scene.token(scene.world.source))
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_filters_narrow_what_is_shown(scene: Scene) -> None:
    guest = scene.guest(*scene.world.sources)
    _overview(guest, scene)
    executions = guest.get(f"/?target={scene.target}&phase=Running").section("executions")
    assert scene.running in executions
    assert scene.skipped not in executions
    page = guest.get(f"/?namespace={scene.world.sources[1]}")
    assert scene.foreign in page.section("executions")
    assert scene.target not in page.section("locks")
    assert guest.get("/?page=99999999&phase=%00").status == 200


@pytest.mark.parametrize(
    "path", ["/executions/../x", "/executions/a%2fb/x", "/nothing", "/static/x"]
)
def test_what_is_not_there_is_a_page_that_says_so(scene: Scene, path: str) -> None:
    page = scene.guest(*scene.world.sources).get(path)
    assert page.status == 404
    assert "To the overview" in page.text
    assert "Content-Security-Policy" in page.headers


@pytest.mark.parametrize("host", ["[::1", "]", "a b"])
def test_a_host_that_is_none_breaks_nothing(scene: Scene, host: str) -> None:
    assert Guest(scene.world.operator.page_url, {"Host": host}).get("/").status in (400, 401)

"""The status page as people use it: looked at, by keyboard, on a telephone, without a script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.page_scene import EVIL
from page.conftest import Sight
from page_browser.chromium import PHONE, barriers, opened
from page_browser.places import OPTIMISER

STORY = "repair-search"
# Cells whose content is higher than they are, and words on more than one line.
MISPLACED = """() => [...document.querySelectorAll("[data-label]")].flatMap((cell) => {
  const label = cell.dataset.label;
  const isLow = cell.clientHeight && cell.scrollHeight > cell.clientHeight + 1;
  const found = isLow ? [`higher than its cell: ${label}`] : [];
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode()); ) {
    for (const word of node.data.matchAll(/[^\\s/-]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
      if (lines.size > 1) found.push(`${label}: ${word[0]}`);
    }
  }
  return found;
})"""
LIVE_MS = 15_000


def _story(page: Page, name: str) -> None:
    """Open the story of an execution from the overview."""
    page.get_by_role("table", name="Executions").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def _settled(page: Page) -> None:
    """Wait until the page is live and all executions have been read."""
    expect(page.locator("#live")).to_have_text("Live", timeout=LIVE_MS)
    expect(page.get_by_role("link", name="restart-cart-again")).to_be_visible(timeout=LIVE_MS)
    expect(page.get_by_text("are being read")).to_have_count(0, timeout=LIVE_MS)


def test_everything_is_there_and_nothing_is_run_as_script(browser: Browser, sight: Sight) -> None:
    with opened(browser, sight.url, sight.token) as page:
        _settled(page)
        locks = page.get_by_role("table", name="Targets held")
        expect(locks.get_by_role("row")).to_have_count(2)
        expect(locks).to_contain_text("shop/Deployment/payment-api")
        expect(locks).to_contain_text("task wait")
        expect(page.get_by_role("table", name="Cooldowns").get_by_role("row")).to_have_count(3)
        executions = page.get_by_role("table", name="Executions")
        for name, phase in (
            ("restart-cart", "Completed"),
            ("repair-search", "Failed"),
            ("drain-payment", "Running"),
            ("scale-payment", "Skipped"),
        ):
            link = page.get_by_role("link", name=f"{sight.world.source}/{name}", exact=True)
            expect(executions.get_by_role("row").filter(has=link)).to_contain_text(phase)
        expect(page.get_by_text(EVIL).first).to_be_visible()
        assert page.locator("img").count() == 0
        _story(page, STORY)
        expect(page.locator("#why")).to_contain_text("exit code 7")
        expect(page.locator("#timeline")).to_contain_text("step ended")
        expect(page.locator("#commands")).to_contain_text(
            f"kubectl wfe logs {STORY} -n {sight.world.source}"
        )


def test_what_happens_is_shown_without_a_reload_and_keeps_the_focus(
    browser: Browser, sight: Sight
) -> None:
    with opened(browser, sight.url, sight.token) as page:
        _settled(page)
        page.evaluate("window.notReloaded = true")
        link = page.get_by_role("link", name="drain-payment").last
        link.focus()
        sight.create("restart-mail", "wait", "mail")
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="restart-mail"))
        expect(row.last).to_contain_text("Running", timeout=60_000)
        expect(row.last).to_contain_text("Completed", timeout=60_000)
        expect(page.get_by_role("status").filter(has_text="cooldowns")).to_contain_text(
            "2 Completed"
        )
        assert page.evaluate("window.notReloaded")
        expect(link).to_be_focused()


def test_it_can_be_used_by_keyboard_alone(browser: Browser, sight: Sight) -> None:
    with opened(browser, sight.url, sight.token) as page:
        _settled(page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        stops: list[str] = []
        while "drain-payment" not in (stops or [""])[-1]:
            assert len(stops) < 30, stops
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            stops.append(focused.evaluate("one => one.name || one.textContent"))
            outline = focused.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline != "none", stops
        assert stops[:6] == ["namespace", "target", "workflow", "phase", "Show", "Show all"]
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("drain-payment")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_nothing_keeps_anybody_from_using_it(
    browser: Browser, sight: Sight, scheme: str, size: str
) -> None:
    # The policy would keep the judge out, who is no part of the page.
    how = {"color_scheme": scheme, "bypass_csp": True}
    if size == "phone":
        how["viewport"] = PHONE
    with opened(browser, sight.url, sight.token, **how) as page:
        _settled(page)
        assert barriers(page) == []
        assert _overflow(page) <= 0
        _story(page, STORY)
        assert barriers(page) == []
        assert _overflow(page) <= 0
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert barriers(page) == []


@pytest.mark.parametrize("width", [360, 390, 768, 1200])
def test_words_are_whole_and_labels_stay_within_their_cell(
    browser: Browser, sight: Sight, width: int
) -> None:
    size = {"width": width, "height": 900}
    with opened(browser, sight.url, sight.token, viewport=size) as page:
        _settled(page)
        assert page.evaluate(MISPLACED) == []
        assert _overflow(page) <= 0


def test_nothing_moves_for_whom_motion_is_reduced(browser: Browser, sight: Sight) -> None:
    moves = "document.getAnimations().length + getComputedStyle(live).transitionDuration"
    with opened(browser, sight.url, sight.token, reduced_motion="reduce") as page:
        assert page.evaluate(moves) == "00s"


def test_without_a_script_it_shows_the_same_and_says_that_it_is_not_live(
    browser: Browser, sight: Sight
) -> None:
    with opened(browser, sight.url, sight.token, java_script_enabled=False) as page:
        expect(page.locator("#live")).to_have_text("Not live: reload to see changes")
        expect(page.get_by_role("link", name="drain-payment").first).to_be_visible()


def test_the_token_is_out_of_reach_of_scripts(browser: Browser, sight: Sight) -> None:
    with opened(browser, sight.url, sight.token) as page:
        assert page.evaluate("document.cookie") == ""
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_captures_of_the_overview(
    browser: Browser, sight: Sight, captures: Path, scheme: str
) -> None:
    with opened(browser, sight.url, sight.token, color_scheme=scheme) as page:
        _settled(page)
        _capture(page, captures / f"status-page-{scheme}.png")


def test_captures_of_a_story_and_of_a_small_screen(
    browser: Browser, sight: Sight, captures: Path
) -> None:
    with opened(browser, sight.url, sight.token) as page:
        _settled(page)
        _story(page, STORY)
        expect(page.locator("#live")).to_have_text("Live", timeout=LIVE_MS)
        _capture(page, captures / "status-page-story.png")
    with opened(browser, sight.url, sight.token, viewport=PHONE, color_scheme="dark") as page:
        _settled(page)
        _capture(page, captures / "status-page-phone.png", full_page=False)


def _overflow(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    root = "document.scrollingElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def _capture(page: Page, path: Path, *, full_page: bool = True) -> None:
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=path, full_page=full_page, animations="disabled")
    subprocess.run([OPTIMISER, "--force", "--ext=.png", "--speed=1", "64", path], check=True)
    assert path.stat().st_size < 100_000

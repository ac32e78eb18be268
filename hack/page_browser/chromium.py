"""Chromium, driven by Playwright: every page of it is watched for what must not happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from page_browser.places import AXE, CHROMIUM

WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def running() -> Iterator[Browser]:
    """The browser, without a screen."""
    with sync_playwright() as driver:
        # As root it cannot confine itself; it visits our own page only.
        browser = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, token: str, **context: Any) -> Iterator[Page]:
    """A page signed in with a token; nothing it loads is from elsewhere, and no script fails."""
    context = {"viewport": WIDE, "color_scheme": "light", **context}
    with browser.new_context(**context) as visit:
        page, trouble = visit.new_page(), list[str]()
        page.on("pageerror", lambda error: trouble.append(f"script: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        page.on(
            "console",
            lambda said: (
                trouble.append(f"{said.type}: {said.text}")
                if "Content Security Policy" in said.text
                else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(f"{url}/")
                else trouble.append(f"elsewhere: {asked.url}")
            ),
        )
        page.goto(f"{url}/sign-in")
        page.get_by_label("Token", exact=True).fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        yield page
        assert trouble == []


def barriers(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA on a page, by the rules that axe can check."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}"
        for one in found["violations"]
    ]

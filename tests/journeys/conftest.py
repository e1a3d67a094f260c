from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import binaries
from tests.journeys.services import PASSWORD, Site

CHROMIUM = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The embedded default, as 'make demo' starts it, without the seeded films."""
    with Site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with the journeys: while Playwright's loop runs in this process, Django forbids the ORM."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=binaries.require("chromium"), args=CHROMIUM)
        yield chromium
        chromium.close()


class Visitor:
    """A person at a browser; what the console complains of is collected."""

    def __init__(self, browser: Browser, site: Site, **context: Any) -> None:
        self.site = site
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def sign_in(self, username: str) -> Visitor:
        self.go("/accounts/login/")
        self.page.fill("#id_login", username)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("header form[action*=logout]")
        return self

    def upload(self, *files: Path) -> None:
        """Send files from the upload page and wait for their outcomes."""
        self.go("/imaging/upload/")
        self.page.set_input_files("#choose-files", [str(file) for file in files])
        self.page.wait_for_function(
            "n => document.querySelectorAll('#outcomes [data-badge]').length == n", arg=len(files)
        )

    def axe(self) -> list[str]:
        """WCAG 2.2 AA violations of the page, by axe-core."""
        script = Path(__file__).resolve().parents[2] / "static/node_modules/axe-core/axe.min.js"
        self.page.evaluate(script.read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = self.page.evaluate("tags => axe.run({runOnly: tags})", tags)
        return [f"{v['id']}: {[node['html'][:120] for node in v['nodes']]}" for v in found["violations"]]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Any]:
    """Makes visitors and sends them home; the page must not have complained."""
    visitors: list[Visitor] = []

    def make(**context: Any) -> Visitor:
        context.setdefault("viewport", {"width": 1400, "height": 900})
        visitors.append(Visitor(browser, site, **context))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    complaints = [text for visitor in visitors for text in visitor.complaints]
    assert not [text for text in complaints if "404" not in text], complaints

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests import binaries
from tests.factories import film_file
from tests.journeys.services import PASSWORD, Site

CHROMIUM = ["--no-sandbox", "--disable-background-networking"]
NO_GPU = ["--disable-gpu"]
"""As on a thin client: the viewer draws without WebGL. WebGL in software takes half of a core all the time."""
WEBGL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
VIOLATIONS = "tags => axe.run({runOnly: tags, resultTypes: ['violations']}).then(results => results.violations)"
"""All rules run; without this, axe describes each element that passes too, and all of that travels here."""
SIGNED_IN = "header form[action*=logout]"


@pytest.fixture(scope="package")
def provider() -> Iterator[str]:
    """The hospital's OpenID Connect provider, which knows a radiologist and somebody unknown here; its address."""
    claims = [User(sub=name, claims={"preferred_username": name}) for name in ("radiologist", "somebody")]
    with run_server_in_thread(user_claims=claims) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, database_templates: Path, provider: str) -> Iterator[Site]:
    """The embedded default, as 'make demo' starts it, without the seeded films; nurses need a second factor."""
    sign_on = {"OIDC_ISSUER": provider, "OIDC_CLIENT_ID": "medportal", "OIDC_CLIENT_SECRET": "only for a journey"}
    folder = tmp_path_factory.mktemp("site")
    with Site(folder, templates=database_templates, **sign_on, MFA_REQUIRED_ROLES="nurse") as running:
        yield running


@pytest.fixture(scope="package")
def playwright(database_templates: Path) -> Iterator[Playwright]:
    """After the templates and until the journeys end: while Playwright's loop runs here, Django forbids the ORM."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without WebGL, as most journeys need."""
    with launch(playwright, *NO_GPU) as chromium:
        yield chromium


@pytest.fixture(scope="package")
def webgl_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with WebGL, in which the viewer draws as on a workstation."""
    with launch(playwright, *WEBGL) as chromium:
        yield chromium


def launch(playwright: Playwright, *arguments: str) -> Browser:
    program = binaries.require("chromium")
    return playwright.chromium.launch(executable_path=program, args=[*CHROMIUM, *arguments])


Sessions = dict[tuple[str, str], list[Any]]
"""Session cookies by address of the site and user name."""


@pytest.fixture(scope="package")
def sessions() -> Sessions:
    """Sessions that visitors of this process have opened."""
    return {}


class Visitor:
    """A person at a browser; what the console complains of on our pages is collected."""

    def __init__(self, browser: Browser, site: Site, sessions: Sessions, **context: Any) -> None:
        self.home = site.url
        self.sessions = sessions
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and message.location["url"].startswith(self.home):
            self.complaints.append(f"{self.page.url}: {message.text} ({message.location})")

    def go(self, path: str) -> None:
        self.page.goto(self.home + path)

    def give_password(self, username: str, password: str = PASSWORD) -> None:
        """Fill in and send the sign-in page; a second factor may be asked for next."""
        self.go("/accounts/login/")
        self.page.fill("#id_login", username)
        self.page.fill("#id_password", password)
        self.send("main form:has(#id_login) button[type=submit]")

    def sign_in(self, username: str, *, again: bool = False) -> Visitor:
        """Sign in; a doctor goes on with an open session, since each password takes a second to hash.

        Args:
            again: whether a session of this visitor's own is needed.
        """
        open_session = self.sessions.get((self.home, username)) if username in ("doctor", "doctor2") else None
        if open_session and not again:
            self.context.add_cookies(open_session)
            self.go("/")
            if self.page.locator(SIGNED_IN).count():
                return self
            self.context.clear_cookies()
        self.give_password(username)
        self.page.wait_for_selector(SIGNED_IN)
        cookies = [cookie for cookie in self.context.cookies() if cookie["name"] == "sessionid"]
        self.sessions[self.home, username] = cookies
        return self

    def send(self, button: str) -> None:
        """Press a button that leads to another page, and wait for that."""
        with self.page.expect_navigation():
            self.page.click(button)

    def confirm(self) -> None:
        """Give the password again, as before every dangerous act."""
        self.page.wait_for_selector("h1:has-text('Confirm Access')")
        self.page.fill("#id_password", PASSWORD)
        self.send("main form:has(#id_password) button[type=submit]")

    def sign_out(self) -> None:
        self.send("header form[action*=logout] button")

    def upload(self, *files: Path) -> None:
        """Send files from the upload page and wait for their outcomes."""
        self.go("/imaging/upload/")
        self.page.set_input_files("#choose-files", [str(file) for file in files])
        self.page.wait_for_function(
            "n => document.querySelectorAll('#outcomes [data-badge]').length == n", arg=len(files)
        )

    def check(self, name: str) -> None:
        """The page passes axe and scrolls in one direction; with ``SCREENSHOTS`` set, its picture is kept there."""
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.wait_for_timeout(300)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        assert not self.axe(), name
        assert self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name

    def axe(self) -> list[str]:
        """WCAG 2.2 AA violations of the page, by axe-core."""
        script = Path(__file__).resolve().parents[2] / "static/node_modules/axe-core/axe.min.js"
        self.page.evaluate(script.read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        violations = self.page.evaluate(VIOLATIONS, tags)
        return [f"{v['id']}: {[node['html'][:120] for node in v['nodes']]}" for v in violations]


@pytest.fixture(scope="package")
def abnormal_study(browser: Browser, site: Site, sessions: Sessions, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a film on which something is found and explained, for journeys that only look at it."""
    film = tmp_path_factory.mktemp("abnormal") / "film.bin"
    film.write_bytes(film_file(3, pattern="focal", size=512, mrn="J-0", name="Why^Wilma", identity=[str(film)]))
    doctor = Visitor(browser, site, sessions).sign_in("doctor")
    doctor.upload(film)
    page = doctor.page.get_attribute("#outcomes a[data-study]", "href")
    doctor.context.close()
    assert page
    return page


@pytest.fixture
def visit(browser: Browser, site: Site, sessions: Sessions) -> Iterator[Any]:
    """Makes visitors and sends them home; the page must not have complained."""
    visitors: list[Visitor] = []

    def make(**context: Any) -> Visitor:
        context.setdefault("viewport", {"width": 1400, "height": 900})
        # A turning spinner is painted 60 times a second, by the processor that the models need.
        context.setdefault("reduced_motion", "reduce")
        visitors.append(Visitor(browser, site, sessions, **context))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    complaints = [text for visitor in visitors for text in visitor.complaints]
    assert not [text for text in complaints if "the server responded with a status of 4" not in text], complaints

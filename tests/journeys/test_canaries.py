"""A thousand made-up words in names, numbers and headers turn up nowhere but on pages for those who may read them."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from apps.imaging.dicom.deidentification.table import basic_actions
from tests.factories import film_file
from tests.journeys.client import Api
from tests.journeys.conftest import Visitor
from tests.journeys.services import Site

pytestmark = pytest.mark.needs("chromium")

FILMS, WORDS = 4, 1000
WORD = re.compile(rb"zilpzalp\d{4}", re.IGNORECASE)
STORED = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, await caches.keys(),
  (await indexedDB.databases()).map(({name}) => name),
])"""


def word(number: int) -> str:
    return f"Zilpzalp{number:04d}"


def films() -> list[bytes]:
    """Films with words in every textual attribute that PS3.15 calls identifying, a thousand in all."""
    known = [tag for tag in sorted(basic_actions()) if dictionary_has_tag(tag)]
    tags = [tag for tag in known if dictionary_VR(tag) in ("LO", "SH", "PN", "LT", "ST", "UT", "UC")]
    made, used = [], 0
    for number in range(FILMS):
        share = range(used, WORDS * (number + 1) // FILMS)
        name = f"{word(share[0])}^{word(share[1])}"
        raw = film_file(60 + number, size=448, pattern="focal", name=name, mrn=word(share[2]), identity=[str(number)])
        film = pydicom.dcmread(io.BytesIO(raw))
        words = [word(n) for n in share[3:]]
        for at, tag in enumerate(tag for tag in tags if tag not in film or not film[tag].value):
            vr = dictionary_VR(tag)
            if vr in ("LT", "ST", "UT"):
                film.add_new(tag, vr, f"seen by {words[at % len(words)]} today")
            else:
                film.add_new(tag, vr, words[at % len(words)])
        film.add_new(0x00104000, "LT", " ".join(words))  # PatientComments: all that are left
        buffer = io.BytesIO()
        film.save_as(buffer)
        made.append(buffer.getvalue())
        used = share[-1] + 1
    return made


def content_of(path: Path) -> bytes:
    """A file's content; the site runs meanwhile, and what it has removed since holds nothing."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, PermissionError):
        return b""


def test_no_word_of_a_thousand_leaves_the_sealed_store(site: Site, visit: Any, tmp_path: Path) -> None:
    made = films()
    assert len({found.lower() for content in made for found in WORD.findall(content)}) == WORDS
    doctor: Visitor = visit().sign_in("doctor")
    page, addresses = doctor.page, list[str]()
    doctor.context.on("request", lambda request: addresses.append(request.url))
    paths = []
    for number, content in enumerate(made):
        paths.append(tmp_path / f"{word(number)}.dcm")
        paths[-1].write_bytes(content)
    cut = tmp_path / f"{word(999)}.dcm"
    cut.write_bytes(made[0][:-5000])
    doctor.upload(*paths, cut)
    doctor.go("/worklist/")
    page.fill("#id_search", word(0))
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('#rows tbody tr').length == 1")
    assert WORD.search(page.inner_text("#rows").encode()), "who may read it reads it"
    page.click("#rows tbody a >> nth=0")
    page.wait_for_selector("#viewport[data-ready]", state="attached")
    page.wait_for_selector("[data-explanation]", timeout=240_000)
    page.click("summary:has-text('Your assessment') >> nth=0")
    page.check("input[value=agree] >> nth=0")
    page.fill("textarea[name=comment] >> nth=0", f"told {word(5)}")
    page.click("#findings form button:has-text('Save') >> nth=0")
    page.wait_for_selector("#findings li strong:has-text('Agree')")
    study = page.url
    doctor.send("text=Record and consents")
    page.click("button:has-text('Give consent'):has-text('Research')")
    page.goto(study)
    doctor.send("button:has-text('Export de-identified')")
    page.wait_for_selector("a:has-text('Download')", timeout=240_000)
    stored = page.evaluate(STORED)

    stranger: Visitor = visit().sign_in("doctor2")
    stranger.page.goto(study)
    errors = stranger.page.content()
    stranger.go("/emergency/")
    stranger.page.fill("#id_mrn", "no such number")
    stranger.page.fill("#id_reason", "to see what the error page shows")
    stranger.send("main form button[type=submit]")
    errors += stranger.page.content()
    assert Api(site, "doctor2").status(f"/api/v1/studies/{study.rstrip('/').rsplit('/', 1)[-1]}/analyses/") == 404

    files = [path for path in site.var.parent.rglob("*") if path.is_file() and "staticfiles" not in path.parts]
    names = {"medportal.sqlite3", "keys.sqlite3", "log"}
    assert names <= {path.name for path in files} and len(files) > 20
    places = {str(path): content_of(path) for path in files}
    places |= {f"name of {path}": str(path).encode() for path in files}
    places |= {
        "addresses": "\n".join(addresses).encode(),
        "browser storage": stored.encode(),
        "errors": errors.encode(),
    }
    leaks = {place: WORD.findall(content)[:3] for place, content in places.items() if WORD.search(content)}
    assert len(addresses) > 20
    assert not leaks

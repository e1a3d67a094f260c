"""What every page keeps to."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pydicom
import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse

from apps.accounts.models import CareTeam, User
from apps.imaging.ingest import receive
from tests.factories import film_file, take_in
from tests.medportal.test_suite import floors

PAGES = [
    "portal:worklist",
    "cases:list",
    "imaging:upload",
    "imaging:held",
    "inference:models",
    "account_change_password",
]


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_no_inline_script_and_no_eval(name: str, browser_client: Client) -> None:
    answer = browser_client.get(reverse(name))
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    assert "'strict-dynamic' 'wasm-unsafe-eval'" in policy
    nonce = re.search(r"'nonce-([^']+)'", policy)
    page = answer.content.decode()
    assert nonce
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
    scripts = re.findall(r"<script[^>]*src=[^>]*>", page)
    assert scripts and all(f'nonce="{nonce.group(1)}"' in script for script in scripts)
    assert not re.search(r"\son\w+=|\sstyle=", page)
    assert "no-store" in answer.headers["Cache-Control"]


def test_only_the_study_page_may_style_by_attribute(browser_client: Client, team: CareTeam) -> None:
    instance = take_in(film_file(), team).instance
    assert instance
    answer = browser_client.get(reverse("portal:study", args=[instance.series.study.study_instance_uid]))
    policy = answer.headers["Content-Security-Policy"]
    assert "style-src-attr 'unsafe-inline'" in policy
    assert policy.count("unsafe-inline") == 1


def test_pages_speak_chinese(doctor: User) -> None:
    client = Client(headers={"Accept-Language": "zh-CN"})
    client.force_login(doctor)
    assert "工作列表" in client.get(reverse("portal:worklist")).content.decode()


@pytest.mark.needs("xgettext")
def test_every_text_is_translated(tmp_path: Path) -> None:
    """The texts are extracted again, so that one which never reached the catalogue counts as missing."""
    for top in ("apps", "medportal", "templates"):
        shutil.copytree(settings.BASE_DIR / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "locale").mkdir()
    extract = ["django", "makemessages", "--locale", "zh_Hans", "--no-location", "--no-wrap"]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-m", *extract], cwd=tmp_path, env=environment, check=True)
    with (tmp_path / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        texts = [message.id for message in read_po(file) if message.id]
    with (settings.BASE_DIR / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file)
    translated = {message.id for message in catalogue if message.id and message.string and any(message.string)}
    assert len(texts) > 450
    assert not [text for text in texts if text not in translated]
    assert not translated - set(texts), "texts that no page uses any more"


def test_no_line_of_a_template_is_too_long() -> None:
    """djlint has no rule for it."""
    files = [path for path in (settings.BASE_DIR / "templates").rglob("*") if path.is_file()]
    lines = [(path, n, line) for path in files for n, line in enumerate(path.read_text().splitlines(), start=1)]
    assert not [f"{path}:{n}" for path, n, line in lines if len(line) > 120]


def test_foreign_keys_point_down() -> None:
    """import-linter does not see names in strings; the migration graph does."""
    state = MigrationLoader(None, ignore_no_migrations=True).project_state()
    upward = [
        (app, name, field)
        for (app, name), model in state.models.items()
        if app in floors()
        for field, definition in model.fields.items()
        if isinstance(definition, models.ForeignKey | models.ManyToManyField)
        and isinstance(target := definition.remote_field.model, str)
        and floors().get(target.split(".")[0], -1) > floors()[app]
    ]
    assert not upward


def test_no_file_of_ours_is_too_long() -> None:
    files = [path for top in ("apps", "medportal") for path in (settings.BASE_DIR / top).rglob("*.py")]
    ours = [path for path in files if "migrations" not in path.parts]
    long = [str(path) for path in ours if len(path.read_text().splitlines()) > 400]
    assert not long


def test_values_of_a_header_get_into_no_log_or_warning(doctor: User, caplog: pytest.LogCaptureFixture) -> None:
    dataset = pydicom.dcmread(io.BytesIO(film_file()))
    content = io.BytesIO()
    dataset.save_as(content)
    broken = content.getvalue().replace(b"20210504", b"Zilpzalp")
    with warnings.catch_warnings(record=True) as heard, caplog.at_level(logging.INFO):
        receive(io.BytesIO(broken), actor=doctor)
    assert "Zilpzalp" not in caplog.text
    assert not [warning for warning in heard if "Zilpzalp" in str(warning.message)]


def test_the_process_says_that_it_answers() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


def test_every_page_and_the_api_name_the_version(browser_client: Client) -> None:
    assert f"MedPortal {settings.VERSION}" in browser_client.get("/cases/").content.decode()
    assert f"version: {settings.VERSION}" in Client().get("/api/schema/").content.decode()
    done = subprocess.run(
        [sys.executable, "manage.py", "version"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == settings.VERSION


def test_a_page_that_is_not_there_says_what_to_do(browser_client: Client) -> None:
    answer = browser_client.get("/no/such/page")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


def test_no_path_of_a_machine_is_in_the_repository() -> None:
    told = (settings.BASE_DIR / "requirements.lock").read_text() + (
        settings.BASE_DIR / "static/package-lock.json"
    ).read_text()
    assert "--index-url" not in told and "--find-links" not in told and '"resolved"' not in told
    assert str(Path.home()) not in told

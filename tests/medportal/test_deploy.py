"""The settings of a hospital, not those of tests and demonstration."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests import databases

LOOK = """
import json, django
django.setup()
from django.test import Client
client = Client(headers={"host": "portal.example"})
answer = client.get("/accounts/login/", secure=True)
cookies = {name: {key: str(value) for key, value in morsel.items()} for name, morsel in answer.cookies.items()}
plain = [client.get(path).status_code for path in ("/accounts/login/", "/api/v1/studies/", "/dicom-web/studies")]
print(json.dumps({"headers": dict(answer.headers), "cookies": cookies, "plain": plain}))
"""


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation in use."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "medportal.settings",
        "MEDPORTAL_SECRET_KEY": secrets.token_urlsafe(60),
        "MEDPORTAL_VAR": str(tmp_path_factory.mktemp("var")),
        "MEDPORTAL_HOSTS": "portal.example",
        "MEDPORTAL_VITE": "1",  # a developer's setting that slipped in
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
    )


def test_djangos_own_check_of_a_deployment_is_clean(hospital: dict[str, str]) -> None:
    done = run(hospital, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_headers_and_cookies_of_a_deployment(hospital: dict[str, str], database_templates: Path) -> None:
    assert run(hospital, "manage.py", "keyring", "init").returncode == 0
    if not databases.copy_files(database_templates, Path(hospital["MEDPORTAL_VAR"]), databases.SITE_FILES):
        for alias in databases.SITE_FILES:
            assert run(hospital, "manage.py", "migrate", "--database", alias).returncode == 0
    done = run(hospital, "-c", LOOK)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    headers, cookie = found["headers"], found["cookies"]["__Host-csrftoken"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "style-src 'self';" in policy and "5173" not in policy
    assert cookie["secure"] == "True" and cookie["samesite"] == "Lax" and cookie["path"] == "/" and not cookie["domain"]
    assert found["plain"] == [301, 403, 403], "a program's mistake must not be led on to HTTPS in silence"
    assert Path(hospital["MEDPORTAL_VAR"], "keyring.json").stat().st_mode & 0o077 == 0

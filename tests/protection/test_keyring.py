from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from apps.protection import keyring as keys


def test_indexes_depend_on_purpose_value_and_key(settings) -> None:  # type: ignore[no-untyped-def]
    ring = keys.keyring()
    token = ring.index("a", "x")
    assert token == ring.index("a", "x")
    assert token not in (ring.index("b", "x"), ring.index("a", "y"))
    settings.KEYRING = keys.create()
    assert keys.keyring().index("a", "x") != token


def test_init_makes_a_private_file_once(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYRING_FILE = tmp_path / "ring.json"
    call_command("keyring", "init")
    assert settings.KEYRING_FILE.stat().st_mode & 0o777 == 0o600
    before = settings.KEYRING_FILE.read_text()
    with pytest.raises(CommandError, match="exists"):
        call_command("keyring", "init")
    call_command("keyring", "init", "--if-missing")
    assert settings.KEYRING_FILE.read_text() == before


def test_a_file_that_others_may_read_is_refused(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYRING_FILE = tmp_path / "ring.json"
    keys.write(settings.KEYRING_FILE, keys.create())
    settings.KEYRING_FILE.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        keys.keyring()


@pytest.mark.parametrize("content", ["", "{}", "not json", json.dumps({"seal": {}, "index": {}})])
def test_a_damaged_or_missing_keyring_says_so(content: str, tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYRING_FILE = tmp_path / "ring.json"
    if content:
        keys.write(settings.KEYRING_FILE, content)
    with pytest.raises(ImproperlyConfigured):
        keys.keyring()

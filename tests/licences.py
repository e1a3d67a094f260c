"""Refuses licences that an Apache-2.0 product must not carry: ``python -m tests.licences``, part of ``make lint``.

Checked is what an image carries (``docker/web.lock`` and ``worker.lock``, transitive packages included) and what goes
into the front end's bundle (``static/package-lock.json`` without development packages). GPL and AGPL are never allowed;
LGPL, proprietary and unclear ones only by name below, with the reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = re.compile(
    r"(new |simplified |[23]-clause )?bsd( [23]-clause)?( licen[sc]e)?|bsd-[023]-clause|0bsd|zlib|cc0-1\.0|cc-by-4\.0"
    r"|apache([ -]2(\.0)?)?( (software )?licen[sc]e)?(,? (version )?2\.0)?( with llvm-exception)?"
    r"|mit(-0|-cmu)?( licen[sc]e)?|isc( licen[sc]e( \(iscl\))?)?|mpl-[12]\.[01]"
    r"|mozilla public license 2\.0 \(mpl 2\.0\)"
    r"|psf-2\.0|psfl|python-2\.0|python software foundation license|cnri-python|hpnd|unlicense|bsl-1\.0|wtfpl"
)
"""Permissive licences, and the MPL, whose terms end at the file."""

EXCEPTIONS = {
    "psycopg": "LGPL-3.0: imported unchanged as a library of its own",
    "psycopg-binary": "LGPL-3.0: imported unchanged as a library of its own",
    "pyphen": "GPL-2.0+ or LGPL-2.1+ or MPL-1.1, at the user's choice: MPL-1.1",
    "cuda-toolkit": "NVIDIA's, names the nvidia packages",
    "fido2": "BSD-2-Clause, with parts under Apache-2.0 and MPL-2.0: all three allowed",
    "fhirpathpy": "MIT by its LICENSE.md; the metadata name none",
    "python-dateutil": "Apache-2.0 or BSD-3-Clause",
    "skops": "MIT by its LICENSE; the metadata name none",
    "scipy": "BSD-3-Clause: the metadata hold the text instead of the name",
    "qrcode": "BSD-3-Clause; its second classifier speaks of the trademark QR Code",
}
PROPRIETARY = re.compile(r"nvidia-[a-z0-9-]+")
"""CUDA's libraries, redistributable under NVIDIA's terms; only the image worker-cuda carries them."""


def is_allowed(licence: str) -> bool:
    """Whether an SPDX expression, a name or classifiers parted by ``;`` are allowed: all of AND, one of OR."""
    text = licence.lower().strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if " or " in text:
        return any(is_allowed(part) for part in text.split(" or "))
    return all(ALLOWED.fullmatch(part.strip()) for part in re.split(r" and |;", text))


def refused(packages: Mapping[str, str]) -> list[str]:
    """What must not be carried.

    Args:
        packages: licences by name.

    Returns:
        ``name: licence`` of each package that is neither allowed nor excepted.
    """
    return [
        f"{name}: {licence or 'no licence stated'}"
        for name, licence in sorted(packages.items())
        if name not in EXCEPTIONS and not PROPRIETARY.fullmatch(name) and not is_allowed(licence)
    ]


def python_packages(locks: Iterable[Path]) -> dict[str, str]:
    """Licences of the locked packages that are installed here, by normalised name.

    Raises:
        SystemExit: if a locked package is not installed, so that nothing passes unseen.
    """
    locked = {_name(line.split("==")[0]) for lock in locks for line in lock.read_text().splitlines() if "==" in line}
    program = Path(sys.executable).with_name("pip-licenses")
    command = [program, "--from=all", "--format=json", "--with-system", f"--python={sys.executable}"]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found = {_name(row["Name"]): _stated(row) for row in rows}
    if missing := locked - found.keys():
        sys.exit(f"not installed, so their licences are unknown: {', '.join(sorted(missing))}")
    return {name: found[name] for name in locked}


def npm_packages(lock: Path) -> dict[str, str]:
    """Licences of the front end's runtime packages, by path in ``node_modules``."""
    rows = json.loads(lock.read_text())["packages"]
    return {path: _of_npm(lock.parent / path, row) for path, row in rows.items() if path and not row.get("dev")}


def _of_npm(folder: Path, row: Mapping[str, str]) -> str:
    if "license" in row:
        return row["license"]
    package = json.loads((folder / "package.json").read_text())
    return str(package.get("license") or " AND ".join(one["type"] for one in package.get("licenses", [])))


def _stated(row: Mapping[str, str]) -> str:
    for source in ("License-Expression", "License-Metadata", "License-Classifier"):
        if row[source] != "UNKNOWN":
            return row[source]
    return ""


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text.strip()).lower()


def main() -> None:
    """Print how many packages were looked at, and end with an error that names the refused ones."""
    python = python_packages([ROOT / "docker/web.lock", ROOT / "docker/worker.lock"])
    npm = npm_packages(ROOT / "static/package-lock.json")
    problems = refused(python) + refused(npm)
    print(f"licences: {len(python)} Python and {len(npm)} npm packages, {len(problems)} refused")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()

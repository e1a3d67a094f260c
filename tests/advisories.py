"""Known vulnerabilities of the locked packages: ``python -m tests.advisories LOCK [--stamp FILE]``.

pip-audit passes in silence where it reaches no advisory service. Here such a run says "not audited" and leaves no
stamp, so that the next one asks again; it does not fail, because a build must work without a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]


def ask(lock: Path) -> Report:
    """pip-audit's report on a lock; empty where it gave none."""
    program = Path(sys.executable).with_name("pip-audit")
    command = [program, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        report: Report = json.loads(done.stdout)
    except json.JSONDecodeError:
        return {"dependencies": []}
    return report


def locked(lock: Path) -> int:
    """How many packages a lock names."""
    return sum("==" in line for line in lock.read_text().splitlines())


def conclude(report: Report, packages: int, stamp: Path | None) -> int:
    """Print what was found and stamp a complete audit without findings.

    Args:
        packages: how many the lock names.
        stamp: the file that says that this lock was audited.

    Returns:
        The exit status: 1 if a package has a known vulnerability.
    """
    audited = [package for package in report["dependencies"] if "vulns" in package]
    vulnerable = [package for package in audited if package["vulns"]]
    if len(audited) < packages:
        print(f"not audited: advisories were had for {len(audited)} of {packages} packages; 'make lint' asks again")
    else:
        print(f"audited: {packages} packages, {len(vulnerable)} with known vulnerabilities")
    for package in vulnerable:
        print(f"{package['name']} {package['version']}: {', '.join(one['id'] for one in package['vulns'])}")
    if stamp and not vulnerable and len(audited) >= packages:
        stamp.touch()
    return 1 if vulnerable else 0


def main() -> None:
    """Read the command line, ask, and end with the status."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--stamp", type=Path)
    options = parser.parse_args()
    sys.exit(conclude(ask(options.lock), locked(options.lock), options.stamp))


if __name__ == "__main__":
    main()

"""Says what pip-audit found: read from its JSON, because it passes in silence where it reaches no advisory service."""

from __future__ import annotations

import json
import sys

packages = json.loads(sys.stdin.read() or '{"dependencies": []}')["dependencies"]
audited = [package for package in packages if "vulns" in package]
known = [f"{package['name']} {package['version']}: {', '.join(v['id'] for v in package['vulns'])}"
         for package in audited if package["vulns"]]  # fmt: skip
print(f"pip-audit: {len(audited)} of {len(packages)} packages audited, {len(known)} with known holes")
if not audited:
    print("pip-audit reached no advisory service: run 'make audit' where it can.")
sys.exit("\n".join(known) or 0)

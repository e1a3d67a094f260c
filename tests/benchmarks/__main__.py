"""``make bench``: figures as a table; nothing passes or fails by time."""

from __future__ import annotations

import os
import platform

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from tests.benchmarks import cases, dicomweb, inference, pipeline, protection, recommendations, search, worklist  # noqa: E402
from tests.benchmarks.table import Row  # noqa: E402


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| what | figure | against | ratio |\n|---|---|---|---|")
    parts = (
        inference.measure,
        worklist.measure,
        search.measure,
        cases.measure,
        recommendations.measure,
        protection.measure,
        protection.reencryption,
        pipeline.measure,
        dicomweb.measure,
    )
    for part in parts:
        for row in part():
            print(Row.line(row), flush=True)


if __name__ == "__main__":
    main()

"""From upload to finding and overlay on the embedded default, with processes of their own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.table import Row
from tests.factories import film_file
from tests.journeys.client import Api
from tests.journeys.services import Site

RUNS = 8


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        api = Api(site)
        _one(api, 0)  # the worker loads torch, shap and the model
        found, drawn, shares = zip(*(_one(api, run) for run in range(1, RUNS + 1)), strict=True)
        yield Row("upload to finding, s (median)", f"{statistics.median(found):.2f}")
        yield Row("upload to overlay, s (median)", f"{statistics.median(drawn):.2f}")
        yield Row("share of upload to finding that is the forward pass", f"{100 * statistics.median(shares):.0f} %")
        web, worker = _memory(site.processes[0].pid), _memory(site.worker.pid)
        yield Row("memory of web, MiB (proportional)", f"{web:.0f}")
        yield Row("memory of worker with one child, MiB (proportional)", f"{worker:.0f}")


def _one(api: Api, run: int) -> tuple[float, float, float]:
    film = film_file(60 + run, pattern="focal", size=512, mrn=f"BENCH-{run}")
    started = time.perf_counter()
    api.store(film)
    study = next(row for row in api.studies() if row["patient"]["mrn"] == f"BENCH-{run}")["study_instance_uid"]
    while (analysis := api.analyses(study)[0])["state"] not in ("succeeded", "failed", "refused"):
        time.sleep(0.01)
    found = time.perf_counter() - started
    finding = next(row for row in analysis["findings"] if row["positive"])
    while True:
        rows = next(row for row in api.analyses(study)[0]["findings"] if row["id"] == finding["id"])["explanations"]
        if rows and rows[0]["state"] == "succeeded":
            break
        time.sleep(0.01)
    api.raw(f"/api/v1/explanations/{rows[0]['id']}/overlay.png")
    return found, time.perf_counter() - started, analysis["seconds"]["infer"] / found


def _memory(pid: int) -> float:
    """MiB of a process and its children; pages that they share are divided among them."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / 2**20

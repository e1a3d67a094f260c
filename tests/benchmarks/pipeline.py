"""From upload to finding and overlay on the embedded default, with processes of their own."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.table import Row
from tests.factories import chest_files, film_file
from tests.journeys.client import Api
from tests.journeys.services import Site

RUNS = 8
CELLS = json.dumps({"cells": list(range(600, 700))}).encode()


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        api = Api(site)
        _one(api, 0)  # the worker loads torch, shap and the model
        found, drawn, checked, shares = zip(*(_one(api, run) for run in range(1, RUNS + 1)), strict=True)
        yield Row("upload to finding, s (median)", f"{statistics.median(found):.2f}")
        late = statistics.median(overlay - finding for finding, overlay in zip(found, drawn, strict=True))
        yield Row("finding to first overlay, s (median)", f"{late:.2f}", "limit: 0.3", late / 0.3)
        yield Row("upload to checked explanation, s (median)", f"{statistics.median(checked):.2f}")
        asked = statistics.median(_brush(api) for _ in range(RUNS))
        yield Row("brush to answer, s (median)", f"{asked:.2f}", "limit: 1", asked)
        yield from _volume(api)
        yield Row("share of upload to finding that is the forward pass", f"{100 * statistics.median(shares):.0f} %")
        web, worker = _memory(site.processes[0].pid), _memory(site.worker.pid)
        yield Row("memory of web, MiB (proportional)", f"{web:.0f}")
        yield Row("memory of worker with one child, MiB (proportional)", f"{worker:.0f}")


def _one(api: Api, run: int) -> tuple[float, float, float, float]:
    film = film_file(60 + run, pattern="focal", size=512, mrn=f"BENCH-{run}")
    started = time.perf_counter()
    api.store(film)
    study = next(row for row in api.studies() if row["patient"]["mrn"] == f"BENCH-{run}")["study_instance_uid"]
    while (analysis := api.analyses(study)[0])["state"] not in ("succeeded", "failed", "refused"):
        time.sleep(0.01)
    found = time.perf_counter() - started
    finding = next(row for row in analysis["findings"] if row["positive"])
    while not (rows := _explanations(api, study, finding["id"])) or rows[0]["stage"] == "":
        time.sleep(0.01)
    api.raw(f"/api/v1/explanations/{rows[0]['id']}/overlay.png")
    drawn = time.perf_counter() - started
    while _explanations(api, study, finding["id"])[0]["state"] != "succeeded":
        time.sleep(0.02)
    return found, drawn, time.perf_counter() - started, analysis["seconds"]["infer"] / found


def _volume(api: Api) -> Iterator[Row]:
    """A chest CT of 60 slices; the seconds that the site waits for a last slice are part of it."""
    files = chest_files(shape=(60, 256, 256), mrn="BENCH-CT")
    started = time.perf_counter()
    api.store(*files)
    stored = time.perf_counter() - started
    study = next(row for row in api.studies() if row["patient"]["mrn"] == "BENCH-CT")["study_instance_uid"]
    while (analysis := api.analyses(study)[0])["state"] not in ("succeeded", "failed", "refused"):
        time.sleep(0.02)
    found = time.perf_counter() - started
    finding = next(row for row in analysis["findings"] if row["positive"])
    while not (rows := _explanations(api, study, finding["id"])) or rows[0]["stage"] == "":
        time.sleep(0.02)
    drawn = time.perf_counter() - started
    api.raw(f"/api/v1/explanations/{rows[0]['id']}/overlay.png?view=slices")
    while _explanations(api, study, finding["id"])[0]["state"] != "succeeded":
        time.sleep(0.02)
    yield Row("CT of 60 slices of 256 x 256 taken in, s", f"{stored:.1f}")
    yield Row("the same, upload to finding, s", f"{found:.1f}")
    yield Row("the same, finding to first overlay, s", f"{drawn - found:.1f}")
    yield Row("the same, upload to checked explanation, s", f"{time.perf_counter() - started:.1f}")


def _explanations(api: Api, study: str, finding: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.analyses(study)[0]["findings"]
    return next(row for row in rows if row["id"] == finding)["explanations"]


def _brush(api: Api) -> float:
    """From the request to the answer without a painted area."""
    study = api.studies()[0]["study_instance_uid"]
    finding = api.analyses(study)[0]["findings"][0]["id"]
    started = time.perf_counter()
    probe = api.call(f"/api/v1/findings/{finding}/probes/", CELLS, "application/json")
    while api.call(f"/api/v1/probes/{probe['id']}/")["state"] != "succeeded":
        time.sleep(0.01)
    return time.perf_counter() - started


def _memory(pid: int) -> float:
    """MiB of a process and its children; pages that they share are divided among them."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / 2**20

"""PostgreSQL, Redis, workers of their own; and a worker that dies in the middle."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from tests.factories import film_file
from tests.journeys.client import Api
from tests.journeys.services import Site, postgres, redis, wait_for


@pytest.mark.needs("postgres", "redis-server")
def test_the_whole_way_on_postgresql_and_redis(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    with postgres(folder) as database, redis() as broker:
        where = {"DATABASE_URL": database, "KEYS_DATABASE_URL": database.replace("/postgres", "/keys")}
        with Site(tmp_path, **where, REDIS_URL=broker, CELERY_BROKER_URL=broker, REENCRYPT_GRACE_SECONDS="0") as site:
            doctor = Api(site)
            answer = doctor.store(film_file(3, pattern="focal", size=448, mrn="PG-1"))
            assert "00081199" in answer
            (study,) = doctor.studies()
            analysis = doctor.explained(study["study_instance_uid"])
            assert {finding["label"] for finding in analysis["findings"]} >= {"pneumonia", "normal"}
            explanation = next(f["explanations"][0]["id"] for f in analysis["findings"] if f["explanations"])
            told = doctor.call(f"/api/v1/explanations/{explanation}/")
            assert abs(told["base_value"] + told["sum_of_attributions"] - told["output"]) < 0.01
            assert doctor.raw(f"/api/v1/explanations/{explanation}/overlay.png").startswith(b"\x89PNG")
            site.manage_all(
                ["keyring", "rotate"], ["reencrypt", "--wait"], ["audit", "checkpoint"], ["audit", "verify"]
            )
            assert doctor.raw(f"/api/v1/explanations/{explanation}/overlay.png").startswith(b"\x89PNG")
            other = Api(site, "doctor2")
            assert other.studies() == []
            assert other.status(f"/api/v1/explanations/{explanation}/") == 404
            for name in ("patient", "admin"):
                assert Api(site, name).status("/api/v1/studies/") == 404
        assert not list(site.var.glob("*.sqlite3"))


def rows(site: Site, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{site.var}/medportal.sqlite3?mode=ro", uri=True, timeout=10) as database:
        return database.execute(query).fetchall()


def test_a_worker_killed_in_the_middle_finishes_once(site: Site) -> None:
    doctor = Api(site)
    (before,) = rows(site, "SELECT coalesce(max(queued_at), '') FROM inference_analysis")[0]
    new = f"FROM inference_analysis WHERE queued_at > '{before}'"
    doctor.store(*(film_file(seed, pattern="focal", size=512, mrn=f"K-{seed}") for seed in range(20, 24)))
    until = time.monotonic() + 90
    while not rows(site, f"SELECT 1 {new} AND state = 'running'"):
        assert time.monotonic() < until, "no analysis was seen running"
        time.sleep(0.002)
    site.kill_worker()
    held = rows(site, f"SELECT count(*) {new} AND state = 'running'")[0][0]
    assert held, "the worker was killed too late to be in the middle"
    site.start_worker()
    wait_for(lambda: rows(site, f"SELECT count(*) {new} AND state = 'succeeded'") == [(4,)], 240, "the analyses")
    findings = f"FROM inference_finding WHERE analysis_id IN (SELECT id {new})"
    assert rows(site, f"SELECT count(*) {findings}") == [(16,)]
    assert rows(site, f"SELECT max(attempt) {new}") == [(2,)]
    positive = rows(site, f"SELECT count(*) {findings} AND positive AND is_abnormal")
    explanations = f"FROM explainability_explanation WHERE finding_id IN (SELECT id {findings})"
    explained = f"SELECT count(*) {explanations} AND state = 'succeeded'"
    wait_for(lambda: rows(site, explained) == positive, 240, "the explanations")
    assert rows(site, f"SELECT count(*) {explanations}") == positive


def test_overlays_point_at_the_drawn_opacity(site: Site) -> None:
    """Of the evidence for pneumonia more falls within the drawn opacity than its area alone would give."""
    import io

    from apps.synthetic.radiograph import draw_film

    doctor = Api(site)
    gains = []
    for seed in range(40, 44):
        doctor.store(film_file(seed, pattern="focal", size=448, mrn=f"O-{seed}"))
        study = next(row for row in doctor.studies() if row["patient"]["mrn"] == f"O-{seed}")
        findings = doctor.explained(study["study_instance_uid"])["findings"]
        explanation = next(f["explanations"][0]["id"] for f in findings if f["explanations"] and f["label"] != "normal")
        array = np.load(io.BytesIO(doctor.raw(f"/api/v1/explanations/{explanation}/attributions.npy")))
        mask = draw_film(seed, pattern="focal", size=192).opacity
        share = mask.reshape(12, 16, 12, 16).mean(axis=(1, 3))  # of each region
        evidence = np.clip(array, 0, None)
        gains.append((evidence * share).sum() / evidence.sum() / mask.mean())
    assert np.mean(gains) > 3, gains

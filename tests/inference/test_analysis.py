"""From a stored film to findings, and every way not to get there."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pydicom
import pytest
from django.utils import timezone

from apps.accounts.models import CareTeam, User
from apps.imaging.models import Study, Urgency
from apps.inference import analysis as analysing
from apps.inference import jobs
from apps.inference.models import Analysis, Finding
from apps.inference.review import retry
from apps.inference.routing import route
from apps.jobs.errors import message
from apps.jobs.leases import LeaseLost, complete
from apps.jobs.models import State
from tests.factories import arrive, film_file, take_in


def run(analysis: Analysis) -> Analysis:
    jobs.analyse(str(analysis.pk))
    analysis.refresh_from_db()
    return analysis


@pytest.fixture
def queued(packages: None, team: CareTeam) -> Analysis:
    return arrive(film_file(3, pattern="focal", size=448), team)


def test_a_film_gets_findings(queued: Analysis) -> None:
    done = run(queued)
    assert done.state == State.SUCCEEDED, done.reason
    found = {finding.label: finding for finding in done.findings.all()}
    assert set(found) == {"pneumonia", "bacterial_pneumonia", "viral_pneumonia", "normal"}
    sick = found["bacterial_pneumonia"].probability + found["viral_pneumonia"].probability
    assert found["pneumonia"].probability == pytest.approx(sick)
    assert sick + found["normal"].probability == pytest.approx(1)
    for finding in found.values():
        above = finding.probability >= finding.threshold
        kind = finding.label in ("bacterial_pneumonia", "viral_pneumonia")
        assert finding.positive == (above and (found["pneumonia"].positive or not kind))
    assert set(done.seconds) == {"load", "infer", "write"}


def test_the_model_tells_synthetic_films_apart(packages: None, team: CareTeam) -> None:
    """On ten drawn films of seeds used nowhere else, the sick ones score higher than the normal ones."""
    scores: dict[str, list[float]] = {"normal": [], "focal": []}
    for pattern, values in scores.items():
        for seed in range(5):
            film = film_file(9_000_000 + seed, pattern=pattern, size=448, mrn=f"{pattern}{seed}")
            done = run(arrive(film, team))
            assert done.state == State.SUCCEEDED, done.reason
            values.append(done.findings.get(label="pneumonia").probability)
    assert np.mean(scores["focal"]) > np.mean(scores["normal"]) + 0.5


def test_a_finding_raises_the_urgency(queued: Analysis) -> None:
    run(queued)
    study = Study.objects.get()
    positive = Finding.objects.filter(positive=True, is_abnormal=True).exists()
    assert positive and study.urgency == Urgency.HIGH


def test_doing_it_twice_changes_nothing(queued: Analysis) -> None:
    run(queued)
    run(queued)
    assert Finding.objects.count() == 4


def test_the_same_series_is_asked_once(queued: Analysis) -> None:
    assert route(queued.series, urgent=True) == [queued]
    run(queued)
    assert route(queued.series, urgent=True) == [queued]
    assert Analysis.objects.count() == 1


def test_waiting_analyses_share_a_batch(packages: None, team: CareTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    queued = [arrive(film_file(seed, mrn=str(seed), size=448), team) for seed in (1, 2, 3)]
    batches = []
    real = jobs.assess
    monkeypatch.setattr(jobs, "assess", lambda package, films: batches.append(len(films)) or real(package, films))
    run(queued[0])
    assert batches == [3]
    assert {Analysis.objects.get(pk=one.pk).state for one in queued} == {State.SUCCEEDED}
    run(queued[1])
    assert batches == [3]


def changed(**attributes: Any) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(film_file(1, size=256)))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def random_film() -> bytes:
    noise = np.random.default_rng(1).integers(0, 4095, (256, 256), dtype=np.uint16)
    return changed(PixelData=noise.tobytes())


REFUSED = {
    "wrong_modality": changed(Modality="US"),
    "wrong_body_part": changed(BodyPartExamined="HAND"),
    "wrong_view": changed(ViewPosition="LL"),
    "too_small": film_file(1, size=100),
    "uniform": changed(PixelData=b"\x10\0" * 256 * 256),
    "unlike_training": random_film(),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_it_was_not_made_for_is_refused_with_the_reason(code: str, packages: None, team: CareTeam) -> None:
    done = run(arrive(REFUSED[code], team))
    assert (done.state, done.reason_code) == (State.REFUSED, code)
    assert done.reason == message(code, done.reason_parameters) != ""
    assert not Finding.objects.exists()


def test_a_package_changed_on_disk_is_not_run(queued: Analysis, settings: Any) -> None:
    settings.MODEL_PACKAGE_DIRS = []
    done = run(queued)
    assert (done.state, done.reason_code) == (State.FAILED, "package_missing")


def test_a_failed_analysis_can_be_tried_again(queued: Analysis, doctor: User, stranger: User, settings: Any) -> None:
    folders, settings.MODEL_PACKAGE_DIRS = settings.MODEL_PACKAGE_DIRS, []
    run(queued)
    settings.MODEL_PACKAGE_DIRS = folders
    with pytest.raises(PermissionError):
        retry(queued, actor=stranger)
    assert retry(queued, actor=doctor)
    assert not retry(queued, actor=doctor)
    assert run(queued).state == State.SUCCEEDED


def test_a_worker_whose_lease_was_lost_writes_nothing(queued: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow worker comes back after the quick one is done: four findings, not eight."""
    (slow,) = analysing.claim_batch(queued.pk)
    Analysis.objects.filter(pk=queued.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run(queued)
    with pytest.raises(LeaseLost), complete(slow):
        pass
    assert Finding.objects.count() == 4


def test_a_new_image_joins_a_queued_analysis_and_asks_anew_after_it(packages: None, team: CareTeam) -> None:
    first = arrive(film_file(1, size=448), team)
    second_file = pydicom.dcmread(io.BytesIO(film_file(1, size=448)))
    second_file.SOPInstanceUID = second_file.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    buffer = io.BytesIO()
    second_file.save_as(buffer)
    instance = take_in(buffer.getvalue(), team).instance
    assert instance
    assert route(instance.series, urgent=True) == [first]
    run(first)
    assert first.findings.count() == 8
    assert Analysis.objects.count() == 1

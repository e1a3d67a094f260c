"""A CT series becomes one answer of a volume model, or a refusal that says what to do."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from apps.accounts.models import CareTeam
from apps.imaging.models import Series
from apps.inference import installed_packages
from apps.inference.engines.volume.resampling import shrink_slices, to_box
from apps.inference.jobs import analyse
from apps.inference.models import Analysis, PackageVersion
from apps.inference.routing import route
from apps.jobs.models import State
from tests.factories import arrive, chest_files, film_file, take_in

SLICES = 40


def series_of(files: Iterable[bytes], team: CareTeam) -> Series:
    for content in files:
        received = take_in(content, team)
        assert received.instance is not None, received.code
    return received.instance.series


def answered(series: Series) -> Analysis:
    """The newest analysis, done."""
    (asked,) = route(series, urgent=True)
    analyse(str(asked.pk))
    asked.refresh_from_db()
    return asked


def turned(content: bytes) -> bytes:
    """The slice as a scanner gives it of somebody who lies face down: rows and columns run the other way."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    pixels = dataset.pixel_array[::-1, ::-1]
    (down, across), (rows, columns) = dataset.PixelSpacing, pixels.shape
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x + across * (columns - 1), y + down * (rows - 1), z]
    dataset.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[dataset.SeriesInstanceUID, "turned"])
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_a_nodule_is_found_whatever_the_order_and_the_way_the_patient_lies(packages: None, team: CareTeam) -> None:
    files = chest_files()
    found = answered(series_of(reversed(files), team))
    assert found.state == State.SUCCEEDED, found.reason
    finding = found.findings.get(label="nodule")
    assert finding.positive and finding.probability > 0.5
    assert found.findings.count() == 2
    assert len(found.geometry["slices"]) == SLICES and found.geometry["flipped"] == [False, False]
    assert finding.instance.sop_instance_uid == found.geometry["slices"][SLICES // 2]
    prone = answered(series_of((turned(content) for content in files), team))
    assert prone.geometry["flipped"] == [True, True]
    assert prone.findings.get(label="nodule").probability == pytest.approx(finding.probability, abs=1e-6)
    healthy = answered(series_of(chest_files(9_000_021, nodule=False, mrn="CT-2"), team))
    assert healthy.findings.get(label="nodule").probability < finding.probability / 2


def test_a_missing_slice_is_said_and_made_up_for(packages: None, team: CareTeam) -> None:
    files = list(chest_files())
    late = files.pop(17)
    series = series_of(files, team)
    refused = answered(series)
    assert refused.state == State.REFUSED and refused.reason_code == "slices_missing"
    assert "Upload the missing slices" in refused.reason
    series_of([late], team)
    assert answered(series).state == State.SUCCEEDED


@pytest.mark.parametrize(("number", "code"), [(1, "too_few_slices"), (24, "wrong_extent")])
def test_part_of_a_chest_is_not_guessed_from(packages: None, team: CareTeam, number: int, code: str) -> None:
    refused = answered(series_of(chest_files()[:number], team))
    assert refused.state == State.REFUSED and refused.reason_code == code, refused.reason


def test_a_volume_waits_for_its_last_slice(packages: None, team: CareTeam, settings: Any) -> None:
    settings.VOLUME_SETTLE_SECONDS = 60.0
    series = series_of(chest_files(), team)
    assert answered(series).state == State.QUEUED, "the last slice came only now"
    settings.VOLUME_SETTLE_SECONDS = 0.0
    assert answered(series).state == State.SUCCEEDED


def test_what_does_not_look_like_a_chest_gets_no_probability(packages: None, team: CareTeam) -> None:
    rng = np.random.default_rng(1)
    files = []
    for content in chest_files():
        dataset = pydicom.dcmread(io.BytesIO(content))
        dataset.PixelData = rng.integers(-1000, 400, dataset.pixel_array.shape).astype("<i2").tobytes()
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        files.append(buffer.getvalue())
    refused = answered(series_of(files, team))
    assert refused.state == State.REFUSED and refused.reason_code == "unlike_training"


def test_films_and_volumes_go_to_their_own_models(packages: None, team: CareTeam) -> None:
    film = arrive(film_file(3, pattern="focal"), team)
    assert {row.package.name for row in film.series.analyses.all()} == {"cxr-pneumonia"}
    (asked,) = route(series_of(chest_files(), team), urgent=True)
    assert asked.package.name == "ct-nodule"


def test_demonstration_packages_see_no_patients(db: None, team: CareTeam, settings: Any) -> None:
    settings.DEMO = False
    installed_packages.synchronise()
    assert not PackageVersion.objects.get(name="ct-nodule").active
    analyses = route(series_of(chest_files(), team), urgent=True)
    assert {(one.package.name, one.reason_code) for one in analyses} == {("cxr-pneumonia", "wrong_modality")}
    settings.DEMO = True
    installed_packages.synchronise()
    assert PackageVersion.objects.get(name="ct-nodule").active


def test_boxes_are_means_over_areas() -> None:
    volume = np.arange(6 * 8 * 10, dtype=np.float32).reshape(6, 8, 10)
    small = shrink_slices(volume, shape=(3, 4, 5))
    assert small.shape == (6, 4, 5)
    assert small[0, 0, 0] == volume[0, :2, :2].mean()
    box = to_box(small, shape=(3, 4, 5), window=(0, 510))
    assert box.shape == (3, 4, 5) and box[0, 0, 0] == round(volume[:2, :2, :2].mean() / 2)
    assert to_box(small[:2], shape=(4, 4, 5), window=(0, 510)).shape == (4, 4, 5), "few slices are repeated"
    assert to_box(np.full((3, 4, 5), np.nan), shape=(3, 4, 5), window=(0, 1)).max() == 0
    with pytest.raises(ValueError, match="slices, rows and columns"):
        to_box(small[0], shape=(3, 4, 5), window=(0, 1))

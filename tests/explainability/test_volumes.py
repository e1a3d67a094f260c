"""Explanations of volumes: slice by slice, as projections, in space; and the brush within them."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image
from pydicom.uid import generate_uid
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam, User
from apps.contact.patient_release import picture_of
from apps.explainability import jobs
from apps.explainability.drawing import volume
from apps.explainability.drawing.dicom import ObjectDescription, parametric_map
from apps.explainability.evaluation_budget import EVALUATIONS
from apps.explainability.explainers.image.anatomy import ZONES, volume_zones
from apps.explainability.explanation_release import draft, release_explanation
from apps.explainability.models import Explanation, FilmEmbedding, Method, OcclusionQuery, Stage
from apps.explainability.queries import (
    arrays,
    certain_values,
    shown_values,
    slice_groups,
    slice_values,
    strongest_slice,
)
from apps.explainability.scheduling import schedule_explanations
from apps.inference.engines.volume.resampling import shrink_slices, to_box
from apps.inference.models import Finding
from apps.inference.training.ct_nodule.data import SHAPE, WINDOW
from apps.jobs.models import State
from apps.synthetic.chest_ct import draw_chest
from tests.factories import chest_files, take_in
from tests.inference.test_volumes import answered, series_of

SEED, DRAWN = 9_000_022, (40, 96, 96)


@pytest.fixture
def finding(packages: None, team: CareTeam) -> Finding:
    return answered(series_of(chest_files(SEED, shape=DRAWN), team)).findings.get(label="nodule")


@pytest.fixture
def explanation(finding: Finding, monkeypatch: pytest.MonkeyPatch) -> Explanation:
    """With twice the evaluations of other tests here: it has to point at the nodule."""
    monkeypatch.setitem(EVALUATIONS, Method.SAMPLED, 256)
    (planned,) = schedule_explanations(finding.analysis_id)
    jobs.explain(str(planned.pk))
    planned.refresh_from_db()
    return planned


@pytest.fixture
def nodule() -> np.ndarray:
    """Middle of the drawn nodule, shares of slices, rows and columns."""
    return (np.argwhere(draw_chest(SEED, nodule=True, shape=DRAWN).nodule).mean(axis=0) + 0.5) / DRAWN


def test_a_rough_picture_is_there_with_the_finding(finding: Finding, nodule: np.ndarray) -> None:
    rough = Explanation.objects.get(finding=finding)
    assert rough.stage == Stage.FIRST and rough.evaluations == 30 and rough.adds_up
    assert rough.state == State.QUEUED, "the rest is asked for"
    assert np.abs(np.array(rough.peak) - nodule).max() < 0.35, "in the right eighth of the volume"
    assert FilmEmbedding.objects.filter(analysis=finding.analysis_id).count() == 1


def points_at_the_nodule_and_adds_up(explanation: Explanation, nodule: np.ndarray) -> None:
    assert explanation.state == State.SUCCEEDED, explanation.reason
    assert explanation.stage == Stage.CHECKED and explanation.adds_up and abs(explanation.gap or 1) < 1e-6
    assert explanation.base_value is not None and explanation.base_value < 0.2, "the reference is healthy"
    assert np.abs(np.array(explanation.peak) - nodule).max() < 1 / 6, "within a region"
    stored = arrays(explanation)
    assert stored.values.shape == (2, 12, 16, 16) and stored.plane is not None and stored.plane.shape == SHAPE
    assert explanation.attribution_sum == pytest.approx(stored.values[0].sum(dtype=np.float64), abs=1e-5)
    side = "right" if nodule[2] < 0.5 else "left"
    assert max(explanation.zones, key=lambda row: row["value"])["zone"].startswith(side), explanation.zones[:3]
    assert sum(row["value"] for row in slice_groups(explanation)) == pytest.approx(
        100 * (explanation.attribution_sum or 0), abs=1e-3
    )
    slices = explanation.geometry["slices"]
    place = slices.index(strongest_slice(explanation)) / len(slices)
    assert abs(place - nodule[0]) < 1 / 6
    assert shown_values(explanation).max() > 0
    assert not explanation.weaknesses, explanation.quality


def test_it_points_at_the_nodule_and_is_drawn_taken_along_and_told(
    explanation: Explanation, api: APIClient, nodule: np.ndarray, radiologist: User
) -> None:
    """One explanation for all of these: it takes seconds."""
    points_at_the_nodule_and_adds_up(explanation, nodule)
    drawn_slice_by_slice_and_as_projections(explanation, api)
    mapped_where_the_volume_lies(explanation, api, nodule)
    told_with_the_slice_that_counts(explanation, radiologist)


def drawn_slice_by_slice_and_as_projections(explanation: Explanation, api: APIClient) -> None:
    url = reverse("explanation-detail", args=[explanation.pk])
    sheet = Image.open(io.BytesIO(api.get(f"{url}overlay.png?view=slices&sign=positive&threshold=0.6").content))
    assert sheet.size == (volume.EDGE, volume.EDGE * volume.LEVELS)
    strength = np.asarray(sheet)[..., 3].reshape(volume.LEVELS, -1).sum(axis=1)
    assert strength.argmax() / volume.LEVELS == pytest.approx(explanation.peak[0], abs=1 / 6)
    down, _deep, wide = explanation.geometry["extent"]
    for view in volume.PROJECTIONS:
        assert Image.open(io.BytesIO(api.get(f"{url}overlay.png?view={view}").content)).mode == "RGBA"
        grey = Image.open(io.BytesIO(api.get(f"{url}film.png?view={view}").content))
        assert grey.mode == "L" and np.ptp(np.asarray(grey)) > 100
    front = Image.open(io.BytesIO(api.get(f"{url}film.png?view=coronal").content))
    assert front.height / front.width == pytest.approx(down / wide, abs=0.01), "in true proportions"
    assert api.get(f"{url}film.png?view=slices").status_code == 400
    assert Image.open(io.BytesIO(api.get(f"{url}film.png").content)).size == (96, 96)


def mapped_where_the_volume_lies(explanation: Explanation, api: APIClient, nodule: np.ndarray) -> None:
    """What OHIF asks for: a frame for each slice, of its rows and columns, that says whose; it colours 0 to 1."""
    answer = api.get(reverse("explanation-detail", args=[explanation.pk]) + "map.dcm")
    content = answer.getvalue()
    assert len(content) == int(answer["Content-Length"])
    made = pydicom.dcmread(io.BytesIO(content))
    read = (pydicom.dcmread(io.BytesIO(file)) for file in chest_files(SEED, shape=DRAWN))
    sources = {slice_.SOPInstanceUID: slice_ for slice_ in read}
    assert (made.NumberOfFrames, made.Rows, made.Columns) == DRAWN
    own = {slice_.FrameOfReferenceUID for slice_ in sources.values()}
    assert {made.FrameOfReferenceUID} == own
    frames = made.PerFrameFunctionalGroupsSequence
    of = [sources[frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID] for frame in frames]
    places = [frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames]
    assert places == [source.ImagePositionPatient for source in of] and len({str(place) for place in places}) == len(of)
    shares = made.pixel_array
    assert np.abs(shares).max() == pytest.approx(1)
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    values = certain_values(explanation)
    assert mapping.RealWorldValueSlope == pytest.approx(np.abs(values).max(), rel=1e-6)
    heights = np.array([float(place[2]) for place in places])
    head_first = shares[np.argsort(-heights)]
    inside = [
        ((np.arange(cells) + 0.5) * size / cells).astype(int) for cells, size in zip(values.shape, DRAWN, strict=True)
    ]
    middles = head_first[np.ix_(*inside)]
    assert middles * mapping.RealWorldValueSlope == pytest.approx(values, abs=1e-6)
    there = (np.array(np.unravel_index(head_first.argmax(), DRAWN)) + 0.5) / DRAWN
    assert (np.abs(there - nodule) < 2 / np.array(values.shape)).all(), (there, nodule)
    analysis = explanation.finding.analysis
    analysis.geometry = {**analysis.geometry, "flipped": [True, False]}
    assert (slice_values(explanation, len(values)) == values[:, ::-1]).all(), "a slice of somebody who lay face down"
    analysis.refresh_from_db()
    picture = pydicom.dcmread(io.BytesIO(api.get(reverse("explanation-capture", args=[explanation.pk])).content))
    assert (picture.Rows, picture.Columns) == (96, 96)


def test_a_map_forgives_rounding_and_slices_without_a_frame_of_reference() -> None:
    headers = [
        pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True) for file in chest_files(SEED, shape=DRAWN)[:3]
    ]
    headers[1].ImageOrientationPatient = [0.999999, 0.001, 0, 0, 1, 0]
    for header in headers:
        del header.FrameOfReferenceUID
    values = np.arange(3 * 4 * 4, dtype=np.float32).reshape(3, 4, 4)
    made = parametric_map(headers, values, ObjectDescription("nodule", "ct-nodule 1", "one"))
    assert pydicom.dcmread(io.BytesIO(b"".join(made.chunks))).pixel_array.shape == (3, 96, 96)


def test_the_brush_hides_a_slab_and_needs_a_slice(finding: Finding, api: APIClient, nodule: np.ndarray) -> None:
    url = reverse("finding-probes", args=[finding.pk])
    row, column = (nodule[1:] * 48).astype(int)
    cells = [r * 48 + c for r in range(row - 5, row + 6) for c in range(column - 5, column + 6)]
    answers = []
    for depth in (nodule[0], (nodule[0] + 0.4) % 1):
        asked = api.post(url, {"cells": cells, "depth": float(depth)}, format="json")
        assert asked.status_code == 202
        jobs.probe(asked.json()["id"])
        answers.append(OcclusionQuery.objects.get(pk=asked.json()["id"]).probabilities["nodule"])
    assert answers[0] < answers[1] - 0.2, "without its own slab the nodule is gone"
    assert "slice" in str(api.post(url, {"cells": cells}, format="json").json())
    for nowhere in (1.2, "nan"):
        assert api.post(url, {"cells": cells, "depth": nowhere}, format="json").status_code == 400


def test_explainers_that_know_no_volumes_are_not_offered(
    finding: Finding, api: APIClient, browser_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EVALUATIONS, Method.GRADIENT, 32)
    explanation = Explanation.objects.get(finding=finding)
    url = reverse("finding-explanations", args=[finding.pk])
    refused = api.post(url, {"method": "partition"}, format="json")
    assert refused.status_code == 400 and "not explained by this method" in str(refused.json())
    page = browser_client.get(reverse("explainability:detail", args=[explanation.pk])).content.decode()
    assert 'value="gradient"' in page and 'value="partition"' not in page
    for words in ("From head to feet", "Whole volume, front view", "with the strongest evidence"):
        assert words in page
    asked = api.post(url, {"method": "gradient"}, format="json")
    jobs.explain(asked.json()["id"])
    other = Explanation.objects.get(pk=asked.json()["id"])
    assert other.state == State.SUCCEEDED, other.reason
    assert arrays(other).values.shape == (2, *SHAPE)
    assert api.get(reverse("explanation-overlay", args=[other.pk]) + "?view=slices").status_code == 200


def test_slices_that_came_later_are_no_part_of_it(finding: Finding, team: CareTeam) -> None:
    (planned,) = schedule_explanations(finding.analysis_id)
    extra = pydicom.dcmread(io.BytesIO(chest_files(SEED, shape=DRAWN)[-1]))
    x, y, z = extra.ImagePositionPatient
    extra.ImagePositionPatient = [x, y, z - extra.SpacingBetweenSlices]
    extra.SOPInstanceUID = extra.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    buffer = io.BytesIO()
    extra.save_as(buffer, enforce_file_format=True)
    assert take_in(buffer.getvalue(), team).code == ""
    jobs.explain(str(planned.pk))
    planned.refresh_from_db()
    assert planned.state == State.FAILED and "the explanation of the newer analysis" in planned.reason


def told_with_the_slice_that_counts(explanation: Explanation, radiologist: User) -> None:
    words = draft(explanation)
    assert "lung" in words
    told = release_explanation(explanation, words, actor=radiologist)
    assert Image.open(io.BytesIO(picture_of(told))).size == (96, 96)


def test_zones_are_those_of_the_chest_itself() -> None:
    drawn = draw_chest(3, nodule=True, shape=(60, 112, 112))
    box = to_box(shrink_slices(drawn.voxels, shape=SHAPE), shape=SHAPE, window=WINDOW)
    found = volume_zones(box.astype(np.float32), WINDOW)
    names = np.array(ZONES)[found]
    lungs = np.isin(names, ZONES[:6])
    dark = (box > 15) & (box < 45)
    assert lungs[dark].mean() > 0.9
    right = np.char.startswith(names, "right")
    assert np.argwhere(right)[:, 2].mean() < SHAPE[2] / 2 < np.argwhere(np.char.startswith(names, "left"))[:, 2].mean()
    assert np.argwhere(names == "right_upper")[:, 0].mean() < np.argwhere(names == "right_lower")[:, 0].mean()
    assert names[SHAPE[0] // 3, SHAPE[1] // 2, SHAPE[2] // 2] == "mediastinum"
    assert names[0, 0, 0] == "outside" and (names[-1] != "right_lower").all()
    assert (volume_zones(np.zeros(SHAPE, np.float32), WINDOW) == ZONES.index("outside")).all()


def test_a_layer_lies_between_its_neighbours() -> None:
    values = np.stack([np.full((2, 2), number, dtype=np.float32) for number in range(4)])
    assert volume.layer(values, 0.0).max() == 0 and volume.layer(values, 1.0).min() == 3
    assert volume.layer(values, 0.5).mean() == pytest.approx(1.5)
    assert volume.projected(values, "axial").sum() == values.sum() == volume.profile(values).sum()

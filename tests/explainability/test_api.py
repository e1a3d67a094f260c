"""Pictures, arrays and DICOM objects by REST; asking for methods and for answers without an area."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from django.urls import reverse
from PIL import Image
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam, User
from apps.explainability import jobs
from apps.explainability.drawing.overlay import NEGATIVE, POSITIVE, Style, burnt_in, overlay_png
from apps.explainability.models import Explanation, Method, OcclusionQuery
from apps.explainability.occlusion import EDGE
from apps.inference.jobs import analyse
from apps.inference.models import Analysis, Finding
from apps.synthetic.radiograph import draw_film
from tests.factories import arrive, film_file


@pytest.fixture
def analysis(packages: None, team: CareTeam) -> Analysis:
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    return done


@pytest.fixture
def explanation(analysis: Analysis) -> Explanation:
    return Explanation.objects.get(finding__label="pneumonia")


def picture_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_picture_shows_sign_by_colour_and_size_by_opacity() -> None:
    values = np.zeros((64, 64), dtype=np.float32)
    values[8:24, 8:24], values[40:56, 40:56] = 1, -0.5
    picture = picture_of(overlay_png(values, Style(edge=64)))
    assert tuple(picture[16, 16, :3]) == POSITIVE and tuple(picture[48, 48, :3]) == NEGATIVE
    assert picture[16, 16, 3] > picture[48, 48, 3] > 0
    assert picture[32, 4, 3] == 0
    only = picture_of(overlay_png(values, Style(sign="negative", edge=64)))
    assert only[16, 16, 3] == 0 and only[48, 48, 3] > 0
    strong = picture_of(overlay_png(values, Style(threshold=0.7, edge=64)))
    assert strong[16, 16, 3] > 0 and strong[48, 48, 3] == 0
    lines = picture_of(overlay_png(values, Style(contours=True, edge=256)))
    filled = picture_of(overlay_png(values, Style(edge=256)))
    assert 0 < (lines[..., 3] > 0).sum() < (filled[..., 3] > 0).sum()
    assert picture_of(overlay_png(np.zeros((8, 8), np.float32))).max(axis=(0, 1))[3] == 0
    burnt = burnt_in(np.linspace(0, 1000, 64 * 64).reshape(64, 64), values, Style())
    assert burnt.shape == (64, 64, 3) and burnt[16, 16, 0] > burnt[16, 16, 2]


def test_everything_that_is_known_comes_by_rest(explanation: Explanation, api: APIClient) -> None:
    url = reverse("explanation-detail", args=[explanation.pk])
    body = api.get(url).json()
    assert body["stage"] == "first" and body["zones"]
    assert body["base_value"] + body["sum_of_attributions"] == pytest.approx(body["output"], abs=1e-6)
    assert Image.open(io.BytesIO(api.get(f"{url}overlay.png?space=log_odds&contours=true").content)).mode == "RGBA"
    assert Image.open(io.BytesIO(api.get(f"{url}film.png").content)).mode == "L"
    for wrong in ("sign=sideways", "threshold=7", "space=feet"):
        assert api.get(f"{url}overlay.png?{wrong}").status_code == 400
    array = np.load(io.BytesIO(api.get(f"{url}attributions.npy").content))
    assert array.shape == (12, 12) and array.sum() == pytest.approx(body["sum_of_attributions"], abs=1e-5)
    whole = api.get(f"{url}attributions.json").json()
    assert np.sum(whole["attributions"]["log_odds"]) == pytest.approx(whole["log_odds"]["sum"], abs=1e-3)
    assert whole["decision_support"] is True and whole["model"] == "cxr-pneumonia 1.1.1"


def test_dicom_objects_belong_to_the_film(explanation: Explanation, api: APIClient) -> None:
    url = reverse("explanation-detail", args=[explanation.pk])
    map_ = pydicom.dcmread(io.BytesIO(api.get(f"{url}map.dcm").getvalue()))
    assert map_.SOPClassUID.name == "Parametric Map Storage"
    assert map_.StudyInstanceUID == explanation.finding.analysis.series.study.study_instance_uid
    assert (map_.Rows, map_.Columns) == (448, 448)
    shares = map_.pixel_array[18::37, 18::37][:12, :12]
    slope = map_.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0].RealWorldValueSlope
    assert slope * shares.sum(dtype=np.float64) == pytest.approx(explanation.attribution_sum, abs=1e-4)
    again = pydicom.dcmread(io.BytesIO(api.get(f"{url}map.dcm").getvalue()))
    assert again.SOPInstanceUID == map_.SOPInstanceUID, "the same explanation is the same object"
    picture = pydicom.dcmread(io.BytesIO(api.get(f"{url}picture.dcm").content))
    assert picture.SOPClassUID.name == "Secondary Capture Image Storage"
    assert picture.pixel_array.shape == (448, 448, 3) and picture.PatientID == "MRN-1"
    assert "Decision support" in picture.SeriesDescription


def test_what_is_not_drawn_yet_is_409(explanation: Explanation, api: APIClient) -> None:
    Explanation.objects.filter(pk=explanation.pk).update(revision=0)
    url = reverse("explanation-detail", args=[explanation.pk])
    assert api.get(url).status_code == 200
    for part in ("overlay.png", "film.png", "attributions.npy", "attributions.json", "map.dcm", "picture.dcm"):
        assert api.get(url + part).status_code == 409, part


def test_a_method_is_asked_for_by_rest(explanation: Explanation, api: APIClient) -> None:
    url = reverse("finding-explanations", args=[explanation.finding_id])
    first = api.post(url, {"method": "gradient"}, format="json")
    assert first.status_code == 202 and first.json()["method"] == Method.GRADIENT
    assert api.post(url, {"method": "gradient"}, format="json").json()["id"] == first.json()["id"]
    assert api.post(url, {"method": "astrology"}, format="json").status_code == 400


def cells_of(opacity: np.ndarray) -> list[int]:
    """The brush's cells over a drawn opacity, with a margin."""
    small = np.asarray(Image.fromarray(opacity).resize((EDGE, EDGE)))
    from scipy import ndimage

    return [int(cell) for cell in np.flatnonzero(ndimage.binary_dilation(small, iterations=3))]


def test_without_the_opacity_the_model_sees_less(analysis: Analysis, api: APIClient) -> None:
    finding = analysis.findings.get(label="pneumonia")
    url = reverse("finding-probes", args=[finding.pk])
    cells = cells_of(draw_film(3, pattern="focal", size=192).opacity)
    asked = api.post(url, {"cells": cells}, format="json")
    assert asked.status_code == 202
    jobs.probe(asked.json()["id"])
    answer = api.get(reverse("probe-detail", args=[asked.json()["id"]])).json()
    assert answer["state"] == "succeeded"
    assert answer["probabilities"]["pneumonia"] < answer["before"] - 0.2
    corner = api.post(url, {"cells": [EDGE * EDGE - 1]}, format="json").json()["id"]
    jobs.probe(corner)
    nearly = api.get(reverse("probe-detail", args=[corner])).json()["probabilities"]["pneumonia"]
    assert nearly == pytest.approx(answer["before"], abs=0.05)


@pytest.mark.parametrize("cells", [[], [-1], [EDGE * EDGE], ["x"], None])
def test_an_area_beside_the_film_is_refused(analysis: Analysis, api: APIClient, cells: object) -> None:
    url = reverse("finding-probes", args=[analysis.findings.first().pk])  # type: ignore[union-attr]
    assert api.post(url, {"cells": cells}, format="json").status_code == 400
    assert not OcclusionQuery.objects.exists()


def test_others_ask_nothing(analysis: Analysis, stranger: User) -> None:
    client = APIClient()
    client.force_authenticate(stranger)
    finding = Finding.objects.first()
    assert finding
    for name in ("finding-probes", "finding-explanations"):
        assert client.post(reverse(name, args=[finding.pk]), {"cells": [1]}, format="json").status_code == 404

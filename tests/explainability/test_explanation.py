from __future__ import annotations

import io

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam, User
from apps.explainability import tasks
from apps.explainability.drawing.overlay import NEGATIVE, POSITIVE, overlay_png
from apps.explainability.explainers.partition import explain
from apps.explainability.models import Explanation
from apps.explainability.plan import plan, plan_missing, request
from apps.explainability.queries import attributions
from apps.inference.models import Analysis
from apps.inference.tasks import analyse
from apps.jobs.leases import claim
from apps.jobs.models import State
from tests.factories import arrive, film_file


def linear(weights: np.ndarray):  # type: ignore[no-untyped-def]
    """Two outputs that are sums over a known region, so that their Shapley values are known."""

    def function(planes: np.ndarray) -> np.ndarray:
        total = (planes / 255 * weights).sum(axis=(1, 2))
        return np.stack([total, -2 * total], axis=1)

    return function


@pytest.fixture(scope="module")
def plane() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)


def test_attributions_add_up_for_every_output(plane: np.ndarray) -> None:
    weights = np.zeros((64, 64))
    weights[:32, :32] = 1 / 1024
    result = explain(linear(weights), plane, evaluations=200, batch=20)
    total = result.base + result.attributions.sum(axis=(1, 2), dtype=np.float64)
    assert np.abs(total - result.output).max() < 1e-4
    assert result.evaluations >= 200


def test_a_linear_model_gets_its_exact_shapley_values(plane: np.ndarray) -> None:
    """Only one quarter of the plane counts, and the blur is the same for every coalition."""
    weights = np.zeros((64, 64))
    weights[:32, :32] = 1 / 1024
    result = explain(linear(weights), plane, evaluations=200, batch=20)
    change = float(result.output[0] - result.base[0])
    inside = float(result.attributions[0, :32, :32].sum())
    assert inside == pytest.approx(change, abs=1e-4)
    assert np.abs(result.attributions[0, 32:, :]).sum() < 1e-4
    assert np.allclose(result.attributions[1], -2 * result.attributions[0], atol=1e-6)


def test_a_constant_model_gets_no_evidence(plane: np.ndarray) -> None:
    result = explain(lambda planes: np.full((len(planes), 1), 0.3), plane, evaluations=50, batch=10)
    assert np.abs(result.attributions).max() == 0


def test_the_picture_shows_sign_by_colour_and_size_by_opacity() -> None:
    values = np.zeros((64, 64), dtype=np.float32)
    values[8:24, 8:24], values[40:56, 40:56] = 1, -0.5
    picture = np.asarray(Image.open(io.BytesIO(overlay_png(values, edge=64))))
    assert tuple(picture[16, 16, :3]) == POSITIVE and tuple(picture[48, 48, :3]) == NEGATIVE
    assert picture[16, 16, 3] > picture[48, 48, 3] > 0
    assert picture[32, 4, 3] == 0
    only = np.asarray(Image.open(io.BytesIO(overlay_png(values, sign="negative", edge=64))))
    assert only[16, 16, 3] == 0 and only[48, 48, 3] > 0
    assert np.asarray(Image.open(io.BytesIO(overlay_png(np.zeros((8, 8), np.float32))))).max(axis=(0, 1))[3] == 0


@pytest.fixture
def analysis(packages: None, team: CareTeam) -> Analysis:
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    return done


def test_findings_above_threshold_are_explained_in_one_run(analysis: Analysis) -> None:
    planned = plan(analysis.pk)
    assert len(planned) == analysis.findings.filter(positive=True).count() >= 1
    assert plan(analysis.pk) == planned
    tasks.explain(str(planned[0].pk))
    for explanation in Explanation.objects.all():
        assert explanation.state == State.SUCCEEDED, explanation.reason
        assert explanation.adds_up and abs(explanation.gap or 1) < 1e-3
        assert explanation.output == pytest.approx(explanation.finding.probability, abs=1e-4)
        array = attributions(explanation)
        assert array.shape == (192, 192)
        assert float(array.sum(dtype=np.float64)) == pytest.approx(explanation.attribution_sum)
    tasks.explain(str(planned[0].pk))
    assert Explanation.objects.count() == len(planned)


def test_a_missed_bell_is_made_up_for(analysis: Analysis) -> None:
    assert plan_missing() == analysis.findings.filter(positive=True).count()
    assert plan_missing() == 0


def test_a_doctor_may_ask_for_any_finding_once(analysis: Analysis, doctor: User, stranger: User) -> None:
    finding = analysis.findings.filter(positive=False).first() or analysis.findings.first()
    assert finding
    with pytest.raises(PermissionError):
        request(finding, actor=stranger)
    assert request(finding, actor=doctor) == request(finding, actor=doctor)


def test_a_film_that_is_gone_fails_with_a_reason(analysis: Analysis) -> None:
    from apps.protection import blobs

    explanation = plan(analysis.pk)[0]
    blobs.delete(explanation.finding.instance.header_blob)
    tasks.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.FAILED and explanation.reason


def test_the_api_gives_figures_picture_and_array(analysis: Analysis, api: APIClient) -> None:
    explanation = plan(analysis.pk)[0]
    url = reverse("explanation-detail", args=[explanation.pk])
    assert api.get(f"{url}overlay.png").status_code == 409
    tasks.explain(str(explanation.pk))
    body = api.get(url).json()
    assert body["base_value"] + body["sum_of_attributions"] == pytest.approx(body["output"], abs=1e-3)
    picture = api.get(f"{url}overlay.png")
    assert Image.open(io.BytesIO(picture.content)).mode == "RGBA"
    assert api.get(f"{url}overlay.png?sign=sideways").status_code == 400
    array = np.load(io.BytesIO(api.get(f"{url}attributions.npy").content))
    assert array.sum() == pytest.approx(body["sum_of_attributions"], abs=1e-3)


def test_only_one_worker_explains(analysis: Analysis) -> None:
    explanation = plan(analysis.pk)[0]
    assert claim(Explanation, explanation.pk)
    tasks.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.RUNNING

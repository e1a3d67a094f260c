"""From a finding to its checked explanation, and everything that can go wrong on the way."""

from __future__ import annotations

import numpy as np
import pytest

from apps.accounts.models import CareTeam, User
from apps.explainability import jobs
from apps.explainability.explainers.image import faithfulness
from apps.explainability.models import Explanation, Method, Stage
from apps.explainability.queries import arrays, region_values
from apps.explainability.scheduling import request_explanation, schedule_explanations, schedule_missing
from apps.inference import post_inference_hooks
from apps.inference.jobs import analyse
from apps.inference.models import Analysis
from apps.jobs.leases import claim
from apps.jobs.models import State
from apps.protection import blobs
from apps.synthetic.radiograph import draw_film
from tests.factories import arrive, film_file


@pytest.fixture
def analysis(packages: None, team: CareTeam) -> Analysis:
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    return done


def test_the_first_picture_comes_with_the_finding(analysis: Analysis) -> None:
    found = list(Explanation.objects.all())
    assert len(found) == analysis.findings.filter(positive=True, is_abnormal=True).count() >= 1
    for explanation in found:
        assert explanation.state == State.QUEUED and explanation.stage == Stage.FIRST and explanation.drawn
        assert explanation.evaluations == 2 and explanation.adds_up
        assert explanation.output == pytest.approx(explanation.finding.probability, abs=1e-4)
        assert explanation.base_value is not None and explanation.base_value < 0.4, "the reference is healthy"
        assert region_values(explanation).shape == (12, 12)
        assert explanation.weaknesses == [], "not judged before it was checked"


def test_it_is_refined_checked_and_measured_in_one_run(analysis: Analysis) -> None:
    planned = schedule_explanations(analysis.pk)
    assert schedule_explanations(analysis.pk) == planned
    before = {one.pk: one.revision for one in Explanation.objects.all()}
    jobs.explain(str(planned[0].pk))
    for explanation in Explanation.objects.all():
        assert explanation.state == State.SUCCEEDED, explanation.reason
        assert explanation.stage == Stage.CHECKED and explanation.revision > before[explanation.pk]
        assert explanation.adds_up and abs(explanation.gap or 1) < 1e-6
        log_odds = explanation.log_odds
        assert log_odds["base"] + log_odds["sum"] == pytest.approx(log_odds["output"], abs=1e-6)
        stored = arrays(explanation)
        assert stored.values.shape == (2, 12, 12) and stored.half_width is not None
        assert float(stored.values[0].sum(dtype=np.float64)) == pytest.approx(explanation.attribution_sum, abs=1e-5)
        assert sum(place["value"] for place in explanation.zones) == pytest.approx(
            explanation.attribution_sum, abs=1e-4
        )
        quality = explanation.quality
        assert quality["insertion"] > quality["random"] > quality["deletion"]
        assert quality["advantage"] > quality["chance"] and quality["predictive_fidelity"] > 0.2
        assert explanation.weaknesses == []
    jobs.explain(str(planned[0].pk))
    assert Explanation.objects.count() == len(planned)


def test_it_points_at_the_drawn_opacity(analysis: Analysis) -> None:
    """The film's opacity is known: the strongest evidence lies on it, and far denser than by chance."""
    from apps.explainability.explainers.image.coalition_game import Regions

    explanation = Explanation.objects.get(finding__label="pneumonia")
    pixels = Regions((12, 12), (192, 192)).spread(region_values(explanation).reshape(1, -1))[0]
    opacity = draw_film(3, pattern="focal", size=192).opacity
    assert faithfulness.pointing_game_hit(pixels, opacity)
    assert faithfulness.evidence_within(pixels, opacity) > 3 * opacity.mean()


@pytest.mark.parametrize("method", [Method.AMORTISED, Method.PARTITION, Method.GRADIENT, Method.DEEP])
def test_other_explainers_serve_the_same_finding(analysis: Analysis, doctor: User, method: Method) -> None:
    finding = analysis.findings.get(label="pneumonia")
    explanation = request_explanation(finding, actor=doctor, method=method)
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.SUCCEEDED, explanation.reason
    assert explanation.adds_up == (abs(explanation.gap or 0) < 0.01)
    assert explanation.adds_up or "gap" in explanation.quality["weaknesses"], "what does not add up is called weak"
    assert explanation.method == method and explanation.zones


def test_a_missed_bell_is_made_up_for(analysis: Analysis) -> None:
    Explanation.objects.all().delete()
    assert schedule_missing() == analysis.findings.filter(positive=True, is_abnormal=True).count()
    assert schedule_missing() == 0


def test_a_post_inference_hook_that_fails_changes_nothing(
    packages: None, team: CareTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_inference_hooks, "_hooks", ["tests.explainability.test_explanation.broken"])
    done = arrive(film_file(3, pattern="focal", size=448), team)
    analyse(str(done.pk))
    done.refresh_from_db()
    assert done.state == State.SUCCEEDED and not Explanation.objects.exists()
    planned = schedule_explanations(done.pk)[0]
    jobs.explain(str(planned.pk))
    planned.refresh_from_db()
    assert planned.state == State.SUCCEEDED


def broken(*args: object) -> None:
    raise ZeroDivisionError


def test_a_hundred_askers_get_one_explanation(analysis: Analysis, doctor: User, stranger: User) -> None:
    finding = analysis.findings.filter(positive=False).first() or analysis.findings.first()
    assert finding
    with pytest.raises(PermissionError):
        request_explanation(finding, actor=stranger)
    assert len({request_explanation(finding, actor=doctor).pk for _ in range(100)}) == 1
    assert Explanation.objects.filter(finding=finding).count() == 1


def test_a_film_that_is_gone_fails_with_a_reason(analysis: Analysis) -> None:
    explanation = schedule_explanations(analysis.pk)[0]
    blobs.delete(explanation.finding.instance.blob)
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.FAILED and "Upload the image again" in explanation.reason
    assert explanation.drawn, "the first picture stays"


def test_a_model_that_is_no_longer_installed_fails_with_a_reason(analysis: Analysis, settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.MODEL_PACKAGE_DIRS = [tmp_path]
    explanation = schedule_explanations(analysis.pk)[0]
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.FAILED and explanation.reason_code == "package_missing"


def test_a_finding_that_is_deleted_meanwhile_leaves_nothing(analysis: Analysis, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    explanation = schedule_explanations(analysis.pk)[0]
    really = jobs.stored_attributions

    def deleted_first(*args: object) -> object:
        analysis.findings.all().delete()
        return really(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "stored_attributions", deleted_first)
    blob = explanation.blob
    blobs.delete(blob)
    jobs.explain(str(explanation.pk))
    assert not Explanation.objects.exists() and not blobs.exists(blob)


def test_out_of_time_the_best_so_far_is_kept_and_marked(analysis: Analysis, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("apps.explainability.explainers.image.sampled._enough", lambda *known: "")
    explanation = schedule_explanations(analysis.pk)[0]
    for one in Explanation.objects.all():
        Explanation.objects.filter(pk=one.pk).update(parameters={"evaluations": 100_000, "seconds": 0.0})
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.SUCCEEDED and explanation.stopped == "time" and explanation.adds_up


def test_only_one_worker_explains(analysis: Analysis) -> None:
    explanation = schedule_explanations(analysis.pk)[0]
    assert claim(Explanation, explanation.pk)
    jobs.explain(str(explanation.pk))
    explanation.refresh_from_db()
    assert explanation.state == State.RUNNING

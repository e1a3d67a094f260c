from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import CareTeam, User
from apps.inference.installed_packages import package_of
from apps.inference.jobs import analyse
from apps.inference.models import PackageVersion
from apps.inference.routing import route
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.patients.consent import record_consent
from apps.patients.models import ConsentState, Purpose
from apps.predictions import alarms, prediction_jobs, prediction_requests
from apps.predictions.jobs import predict
from apps.predictions.models import Alarm, Prediction, PredictionKind
from apps.predictions.prediction_jobs import _person
from apps.predictions.risk.fusion import fuse
from apps.records.models import Case
from apps.records.observations import add
from tests.case_factories import measured, work, written
from tests.factories import browser_of

pytestmark = pytest.mark.usefixtures("words_alone", "packages")


def test_the_risk_rises_with_worse_values_and_is_accounted_for(case: Case, doctor: User) -> None:
    measured(case, hours=28)
    work()
    answer = prediction_requests.answered(case, PredictionKind.DETERIORATION).answer
    course = {hour: risk for hour, risk, _low, _high in answer["course"]}
    assert set(course) == set(range(6, answer["hour"] + 1)) and course[answer["hour"]] > 1.5 * course[6]
    assert all(low <= risk <= high for _hour, risk, low, high in answer["course"])
    drivers = answer["drivers"]
    assert abs(drivers["gap"]) < 1e-9
    assert drivers["base"] + drivers["person"] + sum(row["value"] for row in drivers["variables"]) == pytest.approx(
        answer["risk"]
    )
    assert {row["code"] for row in drivers["variables"]} == {"HR", "Lactate", "NISysABP", "GCS"}
    page = browser_of(doctor).get(reverse("predictions:risk", args=[case.pk])).content.decode()
    assert "Glasgow coma score" in page and "icu-deterioration 1.0.1" in page and "Decision support" in page
    assert "age is not known" in page


def test_better_values_are_judged_better(case: Case) -> None:
    measured(case, trend=1.0)
    work()
    worse = prediction_requests.answered(case, PredictionKind.DETERIORATION).answer["risk"]
    case.observations.all().delete()
    measured(case, trend=-0.2)
    work()
    assert prediction_requests.answered(case, PredictionKind.DETERIORATION).answer["risk"] < 0.6 * worse


def test_what_if_changes_nothing_and_is_ones_own(case: Case, doctor: User, radiologist: User) -> None:
    measured(case)
    work()
    before = prediction_requests.answered(case, PredictionKind.DETERIORATION)
    client = browser_of(doctor)
    answer = client.post(reverse("predictions:what-if", args=[case.pk]), {"v-GCS": "3"})
    assert answer.status_code == 202
    work()
    url = answer.json()["answer"]
    assert client.get(url).json()["risk"] > before.answer["risk"]
    assert browser_of(radiologist).get(url).status_code == 404
    assert prediction_requests.answered(case, PredictionKind.DETERIORATION) == before
    assert client.post(reverse("predictions:what-if", args=[case.pk]), {"v-GCS": "99"}).status_code == 422
    assert client.post(reverse("predictions:what-if", args=[case.pk]), {"v-GCS": "x"}).status_code == 422
    assert client.post(reverse("predictions:what-if", args=[case.pk]), {"v-banana": "1"}).status_code == 422


def test_too_early_too_little_and_without_consent(case: Case, doctor: User) -> None:
    Case.objects.filter(pk=case.pk).update(started_at=timezone.now() - timedelta(hours=2))
    case.refresh_from_db()
    prediction_requests.request_predictions(case)
    work()
    newest = prediction_requests.newest(case, PredictionKind.DETERIORATION)
    assert newest.state == State.REFUSED and newest.reason_code == "too_early"
    Case.objects.filter(pk=case.pk).update(started_at=timezone.now() - timedelta(hours=20))
    case.refresh_from_db()
    prediction_requests.request_predictions(case)
    work()
    assert prediction_requests.newest(case, PredictionKind.DETERIORATION).reason_code == "too_few_values"
    prediction_requests.request_predictions(case)
    record_consent(case.patient, Purpose.AI, ConsentState.WITHDRAWN, actor=doctor)
    work()
    assert prediction_requests.newest(case, PredictionKind.DETERIORATION).reason_code == "no_ai_consent"
    with pytest.raises(UserError):
        prediction_requests.request(Case.objects.get(pk=case.pk), PredictionKind.DETERIORATION, actor=doctor)


def test_a_model_that_is_not_installed_is_said(case: Case, doctor: User) -> None:
    PackageVersion.objects.filter(name="icu-deterioration").update(active=False)
    with pytest.raises(UserError) as refusal:
        prediction_requests.request(case, PredictionKind.DETERIORATION, actor=doctor)
    assert refusal.value.code == "model_missing"
    measured(case)
    assert not Prediction.objects.filter(kind=PredictionKind.DETERIORATION).exists()


def test_a_hundred_changes_wait_as_one(case: Case) -> None:
    for _ in range(100):
        prediction_requests.request_predictions(case)
    assert Prediction.objects.filter(kind=PredictionKind.DETERIORATION).count() == 1


def test_a_prediction_twice_changes_nothing(case: Case) -> None:
    measured(case)
    pk = str(Prediction.objects.get(kind=PredictionKind.DETERIORATION).pk)
    predict(pk)
    first = Prediction.objects.get(pk=pk)
    predict(pk)
    assert Prediction.objects.get(pk=pk).finished_at == first.finished_at


def test_sources_are_joined_whatever_is_missing(case: Case, doctor: User) -> None:
    written(case, doctor, "Sepsis with respiratory failure. No stroke. Father had a heart attack.")
    found = prediction_requests.answered(case, PredictionKind.CASE_RISK).answer
    assert set(found["shares"]) == {"text"} and found["missing"] == ["image", "values"]
    assert set(found["grave"]) == {"respiratory_failure", "sepsis"}
    measured(case)
    analyse(str(route(case.studies.get().series.get(), urgent=True)[0].pk))
    work()
    prediction_requests.request_predictions(case)
    work()
    found = prediction_requests.answered(case, PredictionKind.CASE_RISK).answer
    assert set(found["shares"]) == {"image", "text", "values"} and not found["missing"]
    assert found["base"] + sum(found["shares"].values()) == pytest.approx(found["risk"])


def test_fusion_is_monotonous_and_bounded() -> None:
    package = package_of(PackageVersion.objects.get(name="case-risk"))
    risks = [fuse(package, {"values": p, "image": 0.5})["risk"] for p in (0.05, 0.2, 0.5)]
    assert risks == sorted(risks) and 0 < risks[0] < risks[-1] < 1
    assert fuse(package, {"image": 1.0})["risk"] == fuse(package, {"image": 0.99})["risk"], "beyond what was learned"


def test_what_usually_follows_reads_the_timeline(case: Case, doctor: User) -> None:
    measured(case)
    work()
    following = prediction_requests.answered(case, PredictionKind.NEXT_EVENT).answer["following"]
    assert len(following) == 5 and 0.3 < sum(share for _code, share in following) <= 1.0001
    assert prediction_jobs.tokens_of(case)[0] == "case.opened"


def test_alarms_by_value_and_risk_are_seen_snoozed_and_ended(
    case: Case, doctor: User, nurse: User, team: CareTeam
) -> None:
    with pytest.raises(PermissionError):
        alarms.set_rule(team, "2524-7", above=4, below=None, actor=nurse)
    alarms.set_rule(team, "2524-7", above=4, below=None, actor=doctor)
    alarms.set_rule(team, alarms.RISK, above=1, below=None, actor=doctor)
    alarms.set_rule(team, "8480-6", above=None, below=50, actor=doctor)
    measured(case)
    alarms.evaluate(case)
    work()
    assert {alarm.rule.what for alarm in Alarm.objects.all()} == {"2524-7", alarms.RISK}
    alarms.evaluate(case)
    assert Alarm.objects.count() == 2, "one alarm a rule at a time"
    lactate = Alarm.objects.get(rule__what="2524-7")
    page = browser_of(nurse).get(reverse("cases:overview", args=[case.pk])).content.decode()
    assert "Lactate" in page and [sight.user for sight in lactate.sights.all()] == [nurse]
    browser_of(nurse).post(reverse("predictions:alarm", args=[case.pk, lactate.pk]), {"minutes": "15"})
    lactate.refresh_from_db()
    assert not lactate.sounding and lactate.ended_at is None
    browser_of(nurse).post(reverse("predictions:alarm", args=[case.pk, lactate.pk]))
    lactate.refresh_from_db()
    assert lactate.ended_by == nurse and not alarms.finish(lactate, actor=nurse)


def test_a_limit_is_no_body_weight(case: Case, doctor: User) -> None:
    add(case, "29463-7", ">150", "kg", case.started_at + timedelta(hours=1), actor=doctor)
    assert "weight" not in _person(case)
    add(case, "29463-7", "152", "kg", case.started_at + timedelta(hours=2), actor=doctor)
    assert _person(case)["weight"] == 152

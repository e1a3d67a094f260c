"""Learning the order from what this hospital's patients did."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import AuditEntry, User
from apps.inference.models import PackageVersion
from apps.patients.models import Patient
from apps.recommendations import active_ranker, engine, ranker_training, tasks
from apps.recommendations.models import CareItem, GuidelineRule, Recommendation, RecommendationState
from apps.recommendations.ranking import training

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]
PEOPLE = 24


@pytest.fixture
def acts(patient_user: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People who all did the vaccine and half of whom declined the screening; thresholds for so few."""
    settings.VAR_DIR = tmp_path
    settings.MODEL_PACKAGE_DIRS = [tmp_path / "model-packages"]
    monkeypatch.setattr(ranker_training, "MIN_ACTS", 40)
    monkeypatch.setattr(ranker_training, "MIN_PEOPLE", 20)
    monkeypatch.setattr(training, "GRID", ((4, 1.0, 0.05, 2.0),))
    items = {row.code: row for row in CareItem.objects.all()}
    for number in range(PEOPLE):
        person = Patient(sex="FM"[number % 2])
        person.birth_date = timezone.localdate() - timedelta(days=365 * (30 + number))
        person.save()
        answers = {"vaccine": "done", "screening": "declined" if number % 2 else "accepted"}
        for code, act in answers.items():
            row = Recommendation(patient=person, item=items[code], state=RecommendationState.DONE)
            row.why, row.words, row.due = {}, {}, timezone.localdate()
            row.save()
            engine.log_recommendation_event(row, act, patient_user)


def test_a_version_is_learned_installed_and_used(acts: None) -> None:
    people = ranker_training.learners()
    assert len(people) == PEOPLE and ranker_training.insufficient_data(people) == ""
    tasks.learn()
    ranker, name = active_ranker.active()
    assert ranker is not None and name.startswith("care-ranker ")
    assert set(ranker.codes) == {"screening", "treatment", "vaccine"}
    scores = ranker.scores({})
    assert scores["vaccine"].score > scores["screening"].score > scores["treatment"].score
    assert AuditEntry.objects.filter(action="ranker.trained").count() == 1


def test_too_little_is_said_and_nothing_is_made(acts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranker_training, "MIN_PEOPLE", 1000)
    tasks.learn()
    assert not PackageVersion.objects.exists()
    with pytest.raises(CommandError, match=r"[Nn]ot enough data to learn from"):
        call_command("train_ranker")


def test_what_is_worse_than_popularity_is_not_used(acts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.learn()
    row = PackageVersion.objects.get()
    card = row.card
    card["metrics"][0]["values"]["ndcg_hybrid"]["value"] = 0.0
    PackageVersion.objects.filter(pk=row.pk).update(card=card)
    monkeypatch.setattr("apps.inference.installed_packages.synchronise", lambda: None)
    assert ranker_training.adopt(ranker_training.package_path(row.version), row.version) is False
    assert active_ranker.active() == (None, "")
    assert ranker_training.adopt(Path("x"), "9.9.9") is False


def test_those_who_do_not_consent_are_not_learned_from(acts: None) -> None:
    Patient.objects.update(consent_ai=2)
    assert ranker_training.learners() == []


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("guidelines")
    assert CareItem.objects.count() == 35 and GuidelineRule.objects.filter(active=True).count() == 42
    call_command("guidelines")
    assert "0 items and 0 rules are new or changed" in capsys.readouterr().out
    broken = tmp_path / "x.json"
    broken.write_text(json.dumps({"resourceType": "Patient"}))
    with pytest.raises(CommandError, match="neither"):
        call_command("guidelines", str(broken))
    with pytest.raises(CommandError):
        call_command("guidelines", str(tmp_path / "nowhere"))

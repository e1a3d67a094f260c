"""Learning the order from what patients did: whose acts, which package, and whether a new one is better than the
old."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.inference import registry
from apps.inference.models import PackageVersion
from apps.jobs.errors import message
from apps.patients.access import permitted_filter
from apps.patients.models import Patient, Purpose
from apps.recommendations import catalogue
from apps.recommendations.active_ranker import NAME
from apps.recommendations.engine import ACTS
from apps.recommendations.models import RecommendationEvent
from apps.recommendations.patient_facts import facts_of
from apps.recommendations.ranking.features import features_of
from apps.recommendations.ranking.ranker import Act

if TYPE_CHECKING:  # torch is the workers'
    from apps.recommendations.ranking.training import Learner

logger = logging.getLogger(__name__)
ACTOR = System("ranking model training")
LEAST_ACTS, LEAST_PEOPLE = 500, 50
HOW = (
    "Temporal split: the newest 30 % of each person's acts, among what had not been answered; half of the people, "
    "who had no part in choosing the settings. 95 % bootstrap intervals over people."
)
SOURCE = ("Acts of this hospital's patients",)
MOST_ACTS = 200
"""Newest acts of one person that count: nobody outweighs the others."""


def learners() -> list[Learner]:
    """Everybody with acts who consents to models, as training takes them; kernel classes come in with torch."""
    from apps.recommendations.ranking import training

    now = timezone.now()
    acts: dict[uuid.UUID, list[Act]] = defaultdict(list)
    rows = RecommendationEvent.objects.filter(
        permitted_filter(Purpose.AI, "recommendation__patient__"), act__in=ACTS
    ).order_by("-at")
    for pk, code, act, at in rows.values_list("recommendation__patient_id", "recommendation__item__code", "act", "at"):
        if len(acts[pk]) < MOST_ACTS:
            acts[pk].append(Act(code, act, (now - at).total_seconds() / 86_400))
    found = []
    for patient in Patient.objects.filter(pk__in=list(acts)).iterator():
        facts = facts_of(patient)
        groups = {"age": training.age_band(facts.get("age")), "sex": facts.get("sex", "?"), "language": "?"}
        found.append(training.Learner(features_of(facts), tuple(reversed(acts[patient.pk])), (), groups))
    return found


def enough(people: list[Learner]) -> str:
    """Empty if there is enough to learn from, else why not."""
    number = sum(len(one.acts) for one in people)
    if number >= LEAST_ACTS and len(people) >= LEAST_PEOPLE:
        return ""
    return message(
        "too_few_acts", {"number": number, "people": len(people), "least": LEAST_ACTS, "folks": LEAST_PEOPLE}
    )


def adopt(output: Path, version: str) -> bool:
    """Install a package that was trained just now, unless popularity orders better; whether it is in use."""
    registry.synchronise()
    row = PackageVersion.objects.filter(name=NAME, version=version).first()
    if row is None:
        return False
    figures = row.card["metrics"][0]["values"]
    better = figures["ndcg_hybrid"]["value"] >= figures["ndcg_popularity"]["value"]
    if not better:
        PackageVersion.objects.filter(pk=row.pk).update(active=False)
    audit.record(ACTOR, "ranker.trained", row, in_use=better)
    return better


def place_of(version: str) -> Path:
    """Where a version of this hospital's ranker is written."""
    return Path(settings.VAR_DIR) / "model-packages" / NAME / version


def codes() -> list[str]:
    """The items that can be ordered."""
    return sorted(catalogue.items())

"""Training the ranker on patients' responses: training data, minimum size, adoption of a new package."""

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
from apps.inference import installed_packages
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

if TYPE_CHECKING:  # torch is installed on workers only
    from apps.recommendations.ranking.training import Learner

logger = logging.getLogger(__name__)
ACTOR = System("ranking model training")
MIN_ACTS, MIN_PEOPLE = 500, 50
HOW = (
    "Temporal split: the newest 30 % of each person's acts, among what had not been answered; half of the people, "
    "who had no part in choosing the settings. 95 % bootstrap intervals over people."
)
SOURCE = ("Acts of this hospital's patients",)
MAX_ACTS = 200
"""Newest acts used per person, so that nobody dominates."""


def learners() -> list[Learner]:
    """Patients with acts who consent to AI, as training examples. Imports torch."""
    from apps.recommendations.ranking import training

    now = timezone.now()
    acts: dict[uuid.UUID, list[Act]] = defaultdict(list)
    rows = RecommendationEvent.objects.filter(
        permitted_filter(Purpose.AI, "recommendation__patient__"), act__in=ACTS
    ).order_by("-at")
    for pk, code, act, at in rows.values_list("recommendation__patient_id", "recommendation__item__code", "act", "at"):
        if len(acts[pk]) < MAX_ACTS:
            acts[pk].append(Act(code, act, (now - at).total_seconds() / 86_400))
    examples = []
    for patient in Patient.objects.filter(pk__in=list(acts)).iterator():
        facts = facts_of(patient)
        groups = {"age": training.age_band(facts.get("age")), "sex": facts.get("sex", "?"), "language": "?"}
        examples.append(training.Learner(features_of(facts), tuple(reversed(acts[patient.pk])), (), groups))
    return examples


def insufficient_data(people: list[Learner]) -> str:
    """Empty if there is enough data to train on, else a message that says what is missing."""
    number = sum(len(person.acts) for person in people)
    if number >= MIN_ACTS and len(people) >= MIN_PEOPLE:
        return ""
    return message("too_few_acts", {"number": number, "people": len(people), "least": MIN_ACTS, "folks": MIN_PEOPLE})


def adopt(output: Path, version: str) -> bool:
    """Register a newly trained package; deactivate it if ranking by popularity has the higher nDCG.

    Returns:
        Whether the package is active.
    """
    installed_packages.synchronise()
    row = PackageVersion.objects.filter(name=NAME, version=version).first()
    if row is None:
        return False
    figures = row.card["metrics"][0]["values"]
    better = figures["ndcg_hybrid"]["value"] >= figures["ndcg_popularity"]["value"]
    if not better:
        PackageVersion.objects.filter(pk=row.pk).update(active=False)
    audit.record(ACTOR, "ranker.trained", row, in_use=better)
    return better


def package_path(version: str) -> Path:
    """Directory of a version of this hospital's ranker package."""
    return Path(settings.VAR_DIR) / "model-packages" / NAME / version


def codes() -> list[str]:
    """Codes of the items to rank."""
    return sorted(catalogue.items())

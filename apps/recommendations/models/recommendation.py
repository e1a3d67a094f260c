"""A recommendation on its way from a rule to a patient, and every step of that way."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.jobs.models import Job
from apps.patients.models import Patient
from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.recommendations.models.catalogue import CareItem


class RecommendationState(models.TextChoices):
    """Where a recommendation stands."""

    PROPOSED = "proposed", _("Proposed")
    APPROVED = "approved", _("Approved")
    RELEASED = "released", _("Released")
    SEEN = "seen", _("Viewed by the patient")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    DONE = "done", _("Done")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    RECALLED = "recalled", _("Recalled")


SHOWN_STATES = (RecommendationState.RELEASED, RecommendationState.SEEN, RecommendationState.ACCEPTED)
"""The patient sees it and can act."""
OPEN_STATES = (RecommendationState.PROPOSED, RecommendationState.APPROVED, *SHOWN_STATES)


class Urgency(models.IntegerChoices):
    """How pressing it is, by its rules."""

    ROUTINE = 0, _("Routine")
    SOON = 1, _("Soon")
    URGENT = 2, _("Urgent")


class Recommendation(SealedRecord):
    """One item for one patient. At most one of an item is open at a time."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="recommendations")
    item = models.ForeignKey(CareItem, on_delete=models.PROTECT, related_name="recommendations")
    state = models.CharField(max_length=10, choices=RecommendationState, default=RecommendationState.PROPOSED)
    urgency = models.SmallIntegerField(choices=Urgency, default=Urgency.ROUTINE)
    position = models.PositiveSmallIntegerField(default=0, help_text="Its place among the patient's, by the ranker.")
    why = SealedJSONField(help_text="grounds: rules with citation and facts; score and its shares; ranker.")
    words = SealedJSONField(help_text="title, patient_text, what_to_do by language, as a clinician approved them.")
    edited = models.BooleanField(default=False, help_text="Whether a clinician changed the words.")
    revision = models.PositiveIntegerField(default=1)
    proposed_at = models.DateTimeField(default=timezone.now)
    due = models.DateField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    helpful = models.BooleanField(null=True, help_text="What the patient said afterwards.")

    class Meta:
        ordering = ["-urgency", "position", "proposed_at"]
        indexes = [
            models.Index(fields=["state", "-urgency", "proposed_at", "id"], name="review_queue"),
            models.Index(fields=["patient", "state"], name="recommendations_of_a_patient"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "item"], condition=models.Q(state__in=OPEN_STATES), name="one_open_an_item"
            )
        ]

    @property
    def is_open(self) -> bool:
        """Whether something can still be done with it."""
        return self.state in OPEN_STATES

    @property
    def overdue(self) -> bool:
        """Whether its day has passed without being done."""
        return self.is_open and self.due < timezone.localdate()

    def said(self, part: str) -> str:
        """``title``, ``patient_text`` or ``what_to_do`` in the reader's language: as approved, else as the item has
        it."""
        words: dict[str, Any] = self.words.get(part) or self.item.content[part]
        return str(words.get(get_language() or "en") or words["en"])

    @property
    def title(self) -> str:
        """What it is."""
        return self.said("title")

    @property
    def patient_text(self) -> str:
        """Why, in plain words."""
        return self.said("patient_text")

    @property
    def what_to_do(self) -> str:
        """What the patient does about it."""
        return self.said("what_to_do")


class RecommendationEvent(SealedRecord):
    """What happened to a recommendation. Rows are only added."""

    holder_path = "recommendation.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recommendation = models.ForeignKey(Recommendation, on_delete=models.CASCADE, related_name="steps")
    act = models.CharField(max_length=14)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    said = SealedJSONField(help_text="A reason in words, or the codes of one.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at"]
        indexes = [models.Index(fields=["act", "at"], name="steps_for_learning")]

    @property
    def reason(self) -> str:
        """Why, in the reader's language."""
        words = self.said.get("words")
        if isinstance(words, dict):
            return str(words.get(get_language() or "en") or words.get("en", ""))
        return str(words or "")


class RuleEvaluation(Job):
    """Asking the rules and the ranker anew about one patient. What waits, waits once."""

    task_name: ClassVar[str] = "recommendations.evaluate_rules"

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="evaluations")

    class Meta:
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="evaluation_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=models.Q(state="queued"), name="one_waiting_evaluation_a_patient"
            )
        ]

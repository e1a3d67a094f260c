"""Recommendations from proposal to completion, their event history, and rule evaluations."""

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
    """Lifecycle state of a recommendation."""

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
"""Visible to the patient, who can respond."""
OPEN_STATES = (RecommendationState.PROPOSED, RecommendationState.APPROVED, *SHOWN_STATES)


class Urgency(models.IntegerChoices):
    """Urgency, from the rules."""

    ROUTINE = 0, _("Routine")
    SOON = 1, _("Soon")
    URGENT = 2, _("Urgent")


class Recommendation(SealedRecord):
    """A recommendation of one item to one patient. At most one per item and patient is open."""

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
        """Whether the recommendation is still open."""
        return self.state in OPEN_STATES

    @property
    def overdue(self) -> bool:
        """Whether it is open past its due date."""
        return self.is_open and self.due < timezone.localdate()

    def said(self, part: str) -> str:
        """A text in the reader's language: this recommendation's wording if it has one, else the item's.

        Args:
            part: ``title``, ``patient_text`` or ``what_to_do``.
        """
        words: dict[str, Any] = self.words.get(part) or self.item.content[part]
        return str(words.get(get_language() or "en") or words["en"])

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return self.said("title")

    @property
    def patient_text(self) -> str:
        """The plain-language rationale in the reader's language."""
        return self.said("patient_text")

    @property
    def what_to_do(self) -> str:
        """The instructions in the reader's language."""
        return self.said("what_to_do")


class RecommendationEvent(SealedRecord):
    """An event in a recommendation's history. Append-only."""

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
        """The reason in the reader's language."""
        words = self.said.get("words")
        if isinstance(words, dict):
            return str(words.get(get_language() or "en") or words.get("en", ""))
        return str(words or "")


class RuleEvaluation(Job):
    """Job that evaluates rules and ranker for one patient. At most one per patient is queued."""

    task_name: ClassVar[str] = "recommendations.evaluate_rules"

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="evaluations")

    class Meta:
        indexes = [models.Index(fields=["state", "urgency", "queued_at"], name="evaluation_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=models.Q(state="queued"), name="one_waiting_evaluation_a_patient"
            )
        ]

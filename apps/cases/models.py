"""Collaboration on a case: tasks, comments, documents, referrals, handovers."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.protection.fields import SealedTextField
from apps.protection.models import SealedRecord
from apps.records.models import Case


class Task(SealedRecord):
    """A task of a case."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks")
    title = SealedTextField()
    due = models.DateField(null=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["done_at", "due", "created_at"]

    @property
    def overdue(self) -> bool:
        """Whether the due date has passed."""
        return self.done_at is None and self.due is not None and self.due < timezone.localdate()


class Comment(SealedRecord):
    """A comment among the patient's clinicians; it is not part of the record that is released."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="comments")
    text = SealedTextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at"]


class Document(SealedRecord):
    """An encrypted file of the case."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="documents")
    name = SealedTextField()
    media_type = models.CharField(max_length=40)
    bytes = models.PositiveIntegerField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-added_at"]

    @property
    def blob(self) -> str:
        """Name of the sealed file."""
        return f"documents/{self.pk.hex[:2]}/{self.pk.hex}"

    def sealed_blobs(self) -> list[str]:
        """The file."""
        return [self.blob]


class Referral(SealedRecord):
    """A request to another care team for a second opinion; while open, the team is one of the patient's care teams."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="referrals")
    team = models.ForeignKey(CareTeam, on_delete=models.PROTECT, related_name="+")
    question = SealedTextField()
    answer = SealedTextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    opened_record = models.BooleanField(default=False, help_text="Whether the team saw the patient only because of it.")

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "team"], condition=models.Q(ended_at=None), name="one_open_referral_a_team"
            )
        ]


class HandOver(SealedRecord):
    """A handover structured by I-PASS (Starmer et al., NEJM 2014); it takes effect when the receiver accepts."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="hand_overs")
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    severity = models.CharField(
        max_length=10,
        choices=[("stable", _("Stable")), ("watch", _("Watch closely")), ("unstable", _("Unstable"))],
        default="stable",
    )
    summary = SealedTextField()
    expected = SealedTextField(help_text="What may happen, and what to do then.")
    given_at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-given_at"]

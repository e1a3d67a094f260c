"""The patient record, with consents, break-glass accesses and legal holds.

Identifying data are encrypted; searchable values have blind indexes.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.protection.fields import SealedDateField, SealedTextField
from apps.protection.models import SealedRecord


class Sex(models.TextChoices):
    """Patient's Sex, DICOM (0010,0040)."""

    FEMALE = "F", _("Female")
    MALE = "M", _("Male")
    OTHER = "O", _("Other")
    UNKNOWN = "", _("Not stated")


class Purpose(models.TextChoices):
    """Purposes of processing patient data (GDPR article 6(1)(a), 9(2)(a))."""

    CARE = "care", _("Treatment by the hospital's clinicians")
    AI = "ai", _("Analysis by AI models")
    RESEARCH = "research", _("Research with de-identified data")
    PORTAL = "portal", _("Access to the patient portal")


class ConsentState(models.IntegerChoices):
    """The patient's decision on one purpose."""

    NOT_STATED = 0, _("No decision recorded")
    GIVEN = 1, _("Given")
    WITHDRAWN = 2, _("Withdrawn")


def _consent() -> models.SmallIntegerField[int, int]:
    return models.SmallIntegerField(choices=ConsentState, default=ConsentState.NOT_STATED)


class Patient(SealedRecord):
    """A person under care."""

    holder_path = "pk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mrn = SealedTextField()
    mrn_issuer = SealedTextField()
    name = SealedTextField(help_text="A DICOM person name, PS3.5 section 6.2.1: components parted by ^.")
    birth_date = SealedDateField()
    address = SealedTextField()
    sex = models.CharField(max_length=1, choices=Sex, default=Sex.UNKNOWN, blank=True)
    care_teams = models.ManyToManyField(CareTeam, related_name="patients", blank=True)
    portal_user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="patient"
    )
    consent_care = _consent()
    consent_ai = _consent()
    consent_research = _consent()
    consent_portal = _consent()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = _("patients")

    def __str__(self) -> str:
        return f"Patient {self.pk}"

    @property
    def display_name(self) -> str:
        """The name in natural order."""
        from apps.patients.names import display

        return display(self.name)


class TokenKind(models.TextChoices):
    """What a search token was computed from."""

    IDENTITY = "identity", "MRN with issuer: one record each"
    MRN = "mrn", "MRN alone"
    WORD = "word", "a word of the name"
    LETTERS = "letters", "the first letters of a word of the name"


class SearchToken(models.Model):
    """A blind-index token by which a patient is found, computed with one index key."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="search_tokens")
    kind = models.CharField(max_length=8, choices=TokenKind)
    token = models.CharField(max_length=32)
    key_id = models.BigIntegerField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "token"], name="search_by_token")]
        constraints = [
            models.UniqueConstraint(fields=["token", "patient", "kind", "key_id"], name="one_token_a_patient"),
            models.UniqueConstraint(
                fields=["token"], condition=models.Q(kind=TokenKind.IDENTITY), name="one_record_an_mrn"
            ),
        ]


class Consent(models.Model):
    """A recorded decision on one purpose. Append-only; the patient's columns hold the latest state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    state = models.SmallIntegerField(choices=ConsentState)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]


class BreakGlassAccess(SealedRecord):
    """Break-glass access of a clinician outside the care team, for a stated reason and a short time.

    Defined here and not in ``accounts`` because it refers to a patient, and apps depend only on lower layers.
    """

    holder_path = "patient_id"

    class Review(models.TextChoices):
        """The auditor's verdict."""

        PENDING = "", _("Awaiting review")
        JUSTIFIED = "justified", _("Justified")
        NOT_JUSTIFIED = "unjustified", _("Not justified")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="emergency_accesses")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergency_accesses")
    reason = SealedTextField()
    started_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    review = models.CharField(max_length=12, choices=Review, default=Review.PENDING, blank=True)
    review_note = SealedTextField()
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("break-glass accesses")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["user", "expires_at"], name="emergency_of_a_user")]

    @property
    def active(self) -> bool:
        """Whether the access is still in force."""
        return self.ended_at is None and self.expires_at > timezone.now()


class RetentionHold(SealedRecord):
    """A legal hold: a reason why the record must not be erased yet."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="retention_holds")
    reason = SealedTextField()
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("legal holds")
        ordering = ["-placed_at"]

"""Appointments, patients' questions, e-mail preferences, and releases to patients."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.patients.models import Patient
from apps.protection.fields import SealedTextField
from apps.protection.models import SealedRecord


class AppointmentState(models.TextChoices):
    """Status of an appointment; the subset of FHIR's Appointment.status used here."""

    BOOKED = "booked", _("Booked")
    CONFIRMED = "confirmed", _("Confirmed by the patient")
    UNWANTED = "unwanted", _("The patient cannot attend")
    CANCELLED = "cancelled", _("Cancelled")


class Appointment(SealedRecord):
    """An appointment of a patient with the care team."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="appointments")
    care_team = models.ForeignKey(CareTeam, null=True, on_delete=models.SET_NULL, related_name="+")
    title = SealedTextField()
    place = SealedTextField()
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=30)
    state = models.CharField(max_length=10, choices=AppointmentState, default=AppointmentState.BOOKED)
    revision = models.PositiveIntegerField(default=1)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    booked_at = models.DateTimeField(default=timezone.now)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["patient", "starts_at"], name="appointments_of_a_patient")]

    @property
    def is_open(self) -> bool:
        """Whether the appointment is in the future and not cancelled."""
        return self.state != AppointmentState.CANCELLED and self.starts_at > timezone.now()


class Question(SealedRecord):
    """A patient's non-urgent question to the care team, and its answer."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="questions")
    text = SealedTextField()
    answer = SealedTextField()
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["answered_at", "asked_at"], name="questions_waiting")]


class EmailPreference(SealedRecord):
    """The patient's address for e-mail notifications; used once it is confirmed."""

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="mail_wish")
    address = SealedTextField()
    language = models.CharField(max_length=10, default="en")
    confirmed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="When the last mail went out: at most one an hour.")


class ReleaseKind(models.TextChoices):
    """Kind of content released to the patient."""

    REPORT = "report", _("Report")
    EXPLANATION = "explanation", _("Result of an AI model")
    RECOMMENDATION = "recommendation", _("Recommendation")


class PatientRelease(SealedRecord):
    """A release to a patient: the subject, its explanation in plain words, who released it, and until when.

    ``subject_id`` is interpreted by the releasing app; this table depends on no higher layer. Rows are never
    deleted: withdrawal ends a release, and the row documents what was shown.
    """

    holder_path = "patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="releases")
    kind = models.CharField(max_length=14, choices=ReleaseKind)
    subject_id = models.UUIDField(help_text="The report version, the explanation or the recommendation.")
    words = SealedTextField()
    has_picture = models.BooleanField(default=False)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-released_at"]
        indexes = [models.Index(fields=["patient", "kind"], name="releases_of_a_patient")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"], condition=models.Q(withdrawn_at=None), name="released_once_at_a_time"
            )
        ]

    @property
    def blob(self) -> str:
        """Name of the sealed image."""
        return f"releases/{self.pk.hex[:2]}/{self.pk.hex}.png"

    def sealed_blobs(self) -> list[str]:
        """Name of the image, if there is one."""
        return [self.blob] if self.has_picture else []

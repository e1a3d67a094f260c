"""The patient record. What identifies a person is sealed; what is searched has a blind index."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.protection.fields import SealedDateField, SealedTextField


class Sex(models.TextChoices):
    """Patient's Sex, DICOM (0010,0040)."""

    FEMALE = "F", _("Female")
    MALE = "M", _("Male")
    OTHER = "O", _("Other")
    UNKNOWN = "", _("Not stated")


class Patient(models.Model):
    """A person under care."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mrn = SealedTextField()
    mrn_issuer = SealedTextField()
    mrn_index = models.CharField(max_length=32, unique=True, help_text="Blind index of MRN and issuer.")
    mrn_search = models.CharField(max_length=32, db_index=True, help_text="Blind index of the MRN alone.")
    name = SealedTextField(help_text="A DICOM person name, PS3.5 section 6.2.1: components parted by ^.")
    birth_date = SealedDateField()
    address = SealedTextField()
    sex = models.CharField(max_length=1, choices=Sex, default=Sex.UNKNOWN, blank=True)
    care_teams = models.ManyToManyField(CareTeam, related_name="patients", blank=True)
    portal_user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="patient"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Patient {self.pk}"

    @property
    def display_name(self) -> str:
        """The name as a person would write it."""
        from apps.patients.names import display

        return display(self.name)


class NameToken(models.Model):
    """The blind index of one word of a patient's name."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="name_tokens")
    token = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "patient"], name="one_token_a_patient")]

"""Users, care teams, tokens, notices and the audit trail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class Role(models.TextChoices):
    """A user's role; each user has exactly one."""

    DOCTOR = "doctor", _("Doctor")
    RADIOLOGIST = "radiologist", _("Radiologist")
    NURSE = "nurse", _("Nurse")
    PATIENT = "patient", _("Patient")
    RESEARCHER = "researcher", _("Researcher")
    ADMIN = "admin", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


PHYSICIANS = (Role.DOCTOR, Role.RADIOLOGIST)
"""Roles that decide: upload studies, review findings, assign quarantined files."""
CLINICIANS = (*PHYSICIANS, Role.NURSE)
"""Roles that care for their teams' patients and may open other records in an emergency."""
STAFF = tuple(role for role in Role if role != Role.PATIENT)


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox names its relation so
    """A person who signs in. A patient's name is stored encrypted in the patient record, not here."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    role = models.CharField(_("role"), max_length=12, choices=Role)
    staff_name = models.CharField(_("name"), max_length=120, blank=True, help_text=_("Staff only."))
    given_password_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when the password that an administrator gave opens the account."
    )

    REQUIRED_FIELDS = ["role"]

    def __str__(self) -> str:
        return self.staff_name or self.username

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class CareTeam(models.Model):
    """Clinicians who care for the same patients."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    members = models.ManyToManyField(User, related_name="care_teams", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What a token may be used for, within its owner's permissions."""

    STUDIES_READ = "studies:read", _("Read studies, images, findings and explanations")
    STUDIES_WRITE = "studies:write", _("Store studies")
    CASES_READ = "cases:read", _("Read cases, notes, vitals and labs, predictions and reports")
    CASES_WRITE = "cases:write", _("Open cases, write notes, record vitals and labs")
    RECOMMENDATIONS_READ = "recommendations:read", _("Read recommendations, query guidelines (CDS Hooks)")
    RECOMMENDATIONS_WRITE = "recommendations:write", _("Approve, reject and release recommendations")
    MODELS_READ = "models:read", _("Read the list of models")
    AUDIT_READ = "audit:read", _("Read the audit trail (auditors)")


class ApiToken(AbstractAuthToken):
    """An API token: stored hashed, shown once, with an expiry and a purpose."""

    name = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(default=list)

    class Meta:
        ordering = ["-created"]

    @property
    def scope_labels(self) -> list[str]:
        """Labels of the scopes in the current language."""
        return [str(Scope(scope).label) for scope in self.scopes if scope in Scope.values]


class Notice(models.Model):
    """A notification to one user: a message code and parameters, without patient data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    code = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["user", "read_at"], name="notices_unread")]

    @property
    def text(self) -> str:
        """The message in the current language."""
        from apps.jobs.errors import message

        return message(self.code, self.parameters)


class Outcome(models.TextChoices):
    """Outcome of an audited action; FHIR's audit-event-outcome codes 0, 4 and 8."""

    SUCCESS = "success", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


def _now() -> datetime:
    return timezone.now()


class AuditEntry(models.Model):
    """One audited action: actor, object, time, purpose, origin and outcome. Append-only.

    ``sequence`` and ``digest`` link the entry to the previous one (:mod:`apps.accounts.audit_chain`); they are
    set once, in the entry's own transaction or right after it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=_now, db_index=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=12, blank=True, help_text="The actor's role then.")
    system_reason = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.SUCCESS)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    patient_ref = models.CharField(max_length=32, blank=True, help_text="The record's number, which is no name.")
    why = models.CharField(max_length=60, blank=True, help_text="A code: treatment, emergency, export …")
    source = models.CharField(max_length=60, blank=True, help_text="Network address.")
    session = models.CharField(max_length=16, blank=True, help_text="Which sign-in: a keyed digest.")
    facts = models.JSONField(default=dict, blank=True, help_text="Without patient data.")
    sequence = models.BigIntegerField(null=True, unique=True)
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["object_type", "object_id"]),
            models.Index(fields=["patient_ref", "at"], name="audit_of_a_patient"),
            models.Index(fields=["at"], condition=models.Q(sequence=None), name="audit_not_linked"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor__isnull=False) | ~models.Q(system_reason=""), name="audit_has_an_actor"
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("the audit trail is append-only")


class AuditHead(models.Model):
    """Head of the hash chain; its row is locked while entries are linked."""

    sequence = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)


class AuditCheckpoint(models.Model):
    """A signature over the chain's head; rewriting an earlier entry invalidates it."""

    at = models.DateTimeField(default=_now)
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    signature = models.BinaryField(help_text="Ed25519 by the keyring's signing key, with Tink's key id.")

    class Meta:
        ordering = ["sequence"]

"""The timeline of a case."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models.case import Case


class EventKind(models.TextChoices):
    """Kind of a timeline event."""

    CASE = "case", _("Case")
    STUDY = "study", _("Study")
    FINDING = "finding", _("AI finding")
    NOTE = "note", _("Note")
    VALUE = "value", _("Value")
    PREDICTION = "prediction", _("Prediction")
    ALARM = "alarm", _("Alarm")
    DECISION = "decision", _("Decision")
    MEDICATION = "medication", _("Medication")
    TASK = "task", _("Task")
    REPORT = "report", _("Report")
    TALK = "talk", _("Comment")


class Event(SealedRecord):
    """An event on the timeline. Denormalised, so that 10,000 events can be read without joins."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=EventKind)
    token = models.CharField(
        max_length=40, blank=True, help_text="The sort of event; the full code is sealed, as it tells results."
    )
    words = SealedJSONField(help_text="code, and the parameters of its sentence.")
    subject = models.CharField(max_length=64, blank=True, help_text="Of what: 'note:<id>'.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["case", "-at", "-id"], name="timeline_order"),
            models.Index(fields=["case", "kind", "-at"], name="timeline_of_a_kind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "subject", "token"], condition=~models.Q(subject=""), name="one_event_a_subject"
            )
        ]

    @property
    def code(self) -> str:
        """The full event code, such as ``value.2524-7.high``."""
        return str(self.words.get("code", ""))

"""Predictions about a case, alarm rules and the alarms they raise."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam
from apps.inference.models import PackageVersion
from apps.jobs.models import Job
from apps.protection.fields import SealedJSONField
from apps.protection.models import SealedRecord
from apps.records.models import Case
from apps.terminology.localisation import in_language
from apps.terminology.loinc import catalogue


class PredictionKind(models.TextChoices):
    """What is predicted."""

    DETERIORATION = "deterioration", _("Risk over time")
    CASE_RISK = "case_risk", _("Combined risk from images, notes and measurements")
    NEXT_EVENT = "next_event", _("Likely next events")


class Prediction(SealedRecord, Job):
    """A model's prediction about a case at ``as_of``; with ``question``, a what-if of ``asker``."""

    holder_path = "case.patient_id"
    task_name: ClassVar[str] = "predictions.predict"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="predictions")
    kind = models.CharField(max_length=14, choices=PredictionKind)
    package = models.ForeignKey(PackageVersion, on_delete=models.PROTECT, related_name="+")
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", help_text="Of a what-if."
    )
    question = SealedJSONField(help_text="What-if: values by variable.")
    answer = SealedJSONField()
    as_of = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("predictions")
        ordering = ["-queued_at"]
        indexes = [
            models.Index(fields=["state", "urgency", "queued_at"], name="prediction_queue"),
            models.Index(fields=["case", "kind", "-queued_at"], name="predictions_of_a_case"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind"],
                condition=models.Q(state="queued", asker=None),
                name="one_prediction_waits_a_kind",
            )
        ]


class AlarmRule(models.Model):
    """A limit at which a care team wants an alarm."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    care_team = models.ForeignKey(CareTeam, on_delete=models.CASCADE, related_name="alarm_rules")
    what = models.CharField(max_length=40, help_text="A code of observations, or 'risk' for the risk over the hours.")
    above = models.FloatField(null=True)
    below = models.FloatField(null=True)
    active = models.BooleanField(default=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["what"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(above__isnull=False) | models.Q(below__isnull=False), name="alarm_has_a_limit"
            )
        ]

    @property
    def what_words(self) -> str:
        """What the rule monitors, in the reader's language."""
        measure = catalogue().get(self.what)
        return f"{in_language(measure.title)} ({measure.unit})" if measure else str(_("In-hospital mortality risk, %"))


class Alarm(SealedRecord):
    """An alarm raised by a rule; it stays active until somebody ends it."""

    holder_path = "case.patient_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="alarms")
    rule = models.ForeignKey(AlarmRule, on_delete=models.CASCADE, related_name="alarms")
    raised_at = models.DateTimeField(default=timezone.now)
    content = SealedJSONField(help_text="value and limit.")
    snoozed_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(fields=["case", "rule"], condition=models.Q(ended_at=None), name="one_alarm_a_rule")
        ]

    @staticmethod
    def sounding_now() -> models.Q:
        """Query condition for active alarms that are not snoozed."""
        return models.Q(ended_at=None) & (models.Q(snoozed_until=None) | models.Q(snoozed_until__lte=timezone.now()))

    @property
    def sounding(self) -> bool:
        """Whether the alarm is active and not snoozed."""
        return self.ended_at is None and (self.snoozed_until is None or self.snoozed_until <= timezone.now())


class AlarmAcknowledgement(models.Model):
    """When a user first saw an alarm."""

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="sights")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["alarm", "user"], name="first_sight_only")]

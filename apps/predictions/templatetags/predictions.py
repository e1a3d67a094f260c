"""Template tags for alarms in the header of a case."""

from __future__ import annotations

from django import template

from apps.predictions.models import Alarm
from apps.records.models import Case

register = template.Library()


@register.simple_tag
def active_alarm_count(case: Case) -> int:
    """Number of active, unsnoozed alarms of the case."""
    return Alarm.objects.filter(Alarm.sounding_now(), case=case).count()

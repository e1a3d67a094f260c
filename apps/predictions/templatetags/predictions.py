"""What the header of a case shows of its alarms."""

from __future__ import annotations

from django import template

from apps.predictions.models import Alarm
from apps.records.models import Case

register = template.Library()


@register.simple_tag
def active_alarm_count(case: Case) -> int:
    """How many alarms of the case ask for attention now."""
    return Alarm.objects.filter(Alarm.sounding_now(), case=case).count()

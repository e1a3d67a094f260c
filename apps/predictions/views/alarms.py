"""Actions on alarms."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.accounts.untrusted_input import whole_number
from apps.predictions import alarms
from apps.records.case_pages import get_case, redirect_back, show_user_errors


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def act_on_alarm(request: HttpRequest, pk: uuid.UUID, alarm_id: uuid.UUID) -> HttpResponse:
    """Snooze an alarm for some minutes, or end it."""
    from apps.predictions.models import Alarm

    alarm = get_object_or_404(
        Alarm.objects.select_related("case__patient", "rule"), pk=alarm_id, case=get_case(request, pk)
    )
    minutes = whole_number(request.POST.get("minutes"))
    if minutes in alarms.SNOOZES:
        alarms.snooze(alarm, minutes, actor=signed_in(request))
    else:
        alarms.finish(alarm, actor=signed_in(request))
    return redirect_back(request, pk)

"""Requesting a summary of a case."""

from __future__ import annotations

from django.db import transaction

from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import State, Urgency
from apps.notes.models import Summary
from apps.records.access import models_permitted
from apps.records.models import Case


def request_summary(case: Case) -> Summary | None:
    """Queue a new summary unless one is queued already; None if the patient has not consented to AI."""
    if not models_permitted(case.patient):
        return None
    with transaction.atomic():
        waiting = Summary.objects.select_for_update().filter(case=case, state=State.QUEUED).first()
        if waiting is None:
            Summary.objects.filter(case=case).exclude(state=State.RUNNING).exclude(
                pk__in=list(Summary.objects.filter(case=case, state=State.SUCCEEDED).values_list("pk", flat=True)[:1])
            ).delete()
            waiting = Summary.objects.create(case=case, urgency=Urgency.INTERACTIVE)
            enqueue_job(waiting)
    return waiting

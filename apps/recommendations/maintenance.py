"""Periodic maintenance: expiry, reminders, re-evaluation of patients."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.contact.mail import notify_patient as notify_patient
from apps.patients.access import permitted_filter
from apps.patients.models import Patient, Purpose
from apps.recommendations.engine import log_recommendation_event, request_evaluation
from apps.recommendations.models import (
    OPEN_STATES,
    SHOWN_STATES,
    Recommendation,
    RecommendationState,
)

ACTOR = System("recommendation maintenance")
LATE = timedelta(days=90)
"""Time after the due date at which an open recommendation expires."""
REMIND_BEFORE = timedelta(days=14)
REMIND_AGAIN = timedelta(days=30)
BATCH = 1000
"""Rows per hourly run: 168,000 patients a week."""
STALE = timedelta(days=7)


def expire() -> int:
    """Close recommendations long overdue; return their number."""
    rows = Recommendation.objects.filter(state__in=OPEN_STATES, due__lt=timezone.localdate() - LATE)
    number = 0
    for row in rows.select_related("patient", "item")[:BATCH]:
        with transaction.atomic():
            done = Recommendation.objects.filter(pk=row.pk, state__in=OPEN_STATES).update(
                state=RecommendationState.EXPIRED, closed_at=timezone.now(), revision=F("revision") + 1
            )
            if done:
                log_recommendation_event(row, "expired", None)
                audit.record(ACTOR, "recommendation.expired", row, item=row.item.code)
        number += done
    return number


def remind() -> int:
    """Remind patients of recommendations due soon, at most monthly; return the number of patients."""
    now = timezone.now()
    due = Recommendation.objects.filter(state__in=SHOWN_STATES, due__lte=timezone.localdate() + REMIND_BEFORE)
    recent = Q(reminded_at__gte=now - REMIND_AGAIN) | Q(released_at__gte=now - timedelta(days=1))
    recently_notified = Recommendation.objects.filter(recent, state__in=SHOWN_STATES).values("patient")
    patients = Patient.objects.filter(
        permitted_filter(Purpose.PORTAL), portal_user__isnull=False, pk__in=due.values("patient")
    ).exclude(pk__in=recently_notified)
    number = 0
    for patient in patients.select_related("portal_user")[:BATCH]:
        with transaction.atomic():
            if due.filter(patient=patient, reminded_at=None).update(reminded_at=now) or due.filter(
                patient=patient, reminded_at__lt=now - REMIND_AGAIN
            ).update(reminded_at=now):
                notify_patient(patient, "recommendation_reminder")
                number += 1
    return number


def evaluate_stale_patients() -> int:
    """Re-evaluate the patients evaluated longest ago; return their number. Ages and intervals change without events."""
    if not settings.RECOMMENDATIONS_FOR_ALL:
        return 0
    rows = (
        Patient.objects.filter(permitted_filter(Purpose.CARE))
        .annotate(looked=Max("evaluations__queued_at"))
        .filter(Q(looked=None) | Q(looked__lt=timezone.now() - STALE))
        .order_by(F("looked").asc(nulls_first=True))
    )
    patients = list(rows[:BATCH])
    for patient in patients:
        request_evaluation(patient)
    return len(patients)

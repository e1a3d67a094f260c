"""The patient's responses to released recommendations."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import PHYSICIANS, User
from apps.accounts.notifications import notify
from apps.jobs.errors import UserError
from apps.recommendations.access import require
from apps.recommendations.engine import log_recommendation_event
from apps.recommendations.models import SHOWN_STATES, Recommendation, RecommendationState

_TRANSITIONS = {
    "accepted": ((RecommendationState.RELEASED, RecommendationState.SEEN), RecommendationState.ACCEPTED),
    "declined": (SHOWN_STATES, RecommendationState.DECLINED),
    "done": (SHOWN_STATES, RecommendationState.DONE),
}


def see(row: Recommendation, *, actor: User) -> None:
    """Record that the patient opened the recommendation; only the first time changes its state."""
    require(actor, "recommendations.answer_recommendation", row)
    with transaction.atomic():
        seen = Recommendation.objects.filter(pk=row.pk, state=RecommendationState.RELEASED).update(
            state=RecommendationState.SEEN, revision=F("revision") + 1
        )
        if seen:
            log_recommendation_event(row, "seen", actor)
            row.refresh_from_db()
        audit.record(actor, "recommendation.read", row)


def answer(row: Recommendation, act: str, *, actor: User, reason: str = "") -> bool:
    """Accept, decline or complete a recommendation; return False if that was done before (a double click).

    Raises:
        PermissionError: if it is not the patient's own.
        UserError: ``recommendation_closed``, or ``recommendation_reason`` for declining without one.
        ValueError: if ``act`` is not ``accepted``, ``declined`` or ``done``.
    """
    if act not in _TRANSITIONS:
        raise ValueError(f"no answer: {act}")
    require(actor, "recommendations.answer_recommendation", row)
    if act == "declined" and not reason.strip():
        raise UserError("recommendation_reason")
    before, after = _TRANSITIONS[act]
    with transaction.atomic():
        now = Recommendation.objects.select_for_update(of=("self",)).select_related("patient", "item").get(pk=row.pk)
        if now.state == after:
            return False
        if now.state not in before:
            raise UserError("recommendation_closed")
        closed = None if act == "accepted" else timezone.now()
        Recommendation.objects.filter(pk=row.pk).update(state=after, revision=F("revision") + 1, closed_at=closed)
        log_recommendation_event(now, act, actor, reason.strip()[:1000])
        audit.record(actor, f"recommendation.{act}", now, item=now.item.code)
        team = User.objects.filter(care_teams__in=now.patient.care_teams.all(), role__in=PHYSICIANS, is_active=True)
        if now.urgency or act == "declined":
            notify(team.distinct(), "recommendation_answered")
    row.refresh_from_db()
    return True


def rate(row: Recommendation, helpful: bool, *, actor: User) -> bool:
    """Rate whether the recommendation helped; return False if the rating is unchanged.

    Raises:
        PermissionError: if it is not the patient's own.
        UserError: ``recommendation_closed`` unless it was accepted or done.
    """
    require(actor, "recommendations.answer_recommendation", row)
    if row.state not in (RecommendationState.ACCEPTED, RecommendationState.DONE):
        raise UserError("recommendation_closed")
    with transaction.atomic():
        changed = Recommendation.objects.filter(pk=row.pk).exclude(helpful=helpful).update(helpful=helpful)
        changed += Recommendation.objects.filter(pk=row.pk, helpful=None).update(helpful=helpful)
        if changed:
            log_recommendation_event(row, "helpful" if helpful else "not_helpful", actor)
            audit.record(actor, "recommendation.rated", row, item=row.item.code)
    row.refresh_from_db()
    return bool(changed)

"""Physicians' decisions: approve, edit, reject, release, complete, recall; singly or in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import get_language

from apps.accounts import audit
from apps.accounts.models import User
from apps.contact.models import ReleaseKind
from apps.contact.patient_release import release_to_patient
from apps.jobs.errors import UserError
from apps.recommendations import engine
from apps.recommendations.access import require, visible_to
from apps.recommendations.guidelines.plain import MAX_GRADE, grade
from apps.recommendations.models import SHOWN_STATES, Recommendation, RecommendationState

PARTS = ("patient_text", "what_to_do")
MAX_CHARACTERS = 2000


def approve(row: Recommendation, *, revision: int, actor: User) -> Recommendation:
    """Approve a recommendation; only clinicians see it until it is released.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_changed``, ``recommendation_closed`` or ``recommendation_forbidden``.
    """
    with transaction.atomic():
        now = _locked(row, revision, actor, (RecommendationState.PROPOSED,))
        _refuse_forbidden(now)
        return _transition(now, RecommendationState.APPROVED, "approved", actor, decided_by=actor)


def edit(row: Recommendation, words: Mapping[str, Mapping[str, str]], *, revision: int, actor: User) -> Recommendation:
    """Edit the wording for this patient; earlier wordings stay in the history.

    Args:
        words: ``patient_text`` and ``what_to_do``, each by language; an empty language keeps the item's text.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_changed``, ``recommendation_closed``, ``recommendation_words`` or
            ``recommendation_hard`` for English above grade 8.
    """
    texts = {
        part: {language: text.strip()[:MAX_CHARACTERS] for language, text in words[part].items() if text.strip()}
        for part in PARTS
    }
    if any("en" not in texts[part] for part in PARTS):
        raise UserError("recommendation_words")
    if (hard := grade(" ".join(texts[part]["en"] for part in PARTS))) > MAX_GRADE:
        raise UserError("recommendation_hard", grade=f"{hard:.1f}", most=f"{MAX_GRADE:g}")
    with transaction.atomic():
        now = _locked(row, revision, actor, (RecommendationState.PROPOSED, RecommendationState.APPROVED))
        now.words, now.edited = texts, True
        now.revision += 1
        now.save(update_fields=["words", "edited", "revision"])
        engine.log_recommendation_event(now, "edited", actor, texts["patient_text"]["en"])
        audit.record(actor, "recommendation.edited", now, why="treatment", item=now.item.code)
    return now


def reject(row: Recommendation, reason: str, *, revision: int, actor: User) -> Recommendation:
    """Reject a recommendation; the item is not proposed again for half a year.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_reason``, ``recommendation_changed`` or ``recommendation_closed``.
    """
    if not reason.strip():
        raise UserError("recommendation_reason")
    with transaction.atomic():
        now = _locked(row, revision, actor, (RecommendationState.PROPOSED, RecommendationState.APPROVED))
        return _transition(
            now, RecommendationState.REJECTED, "rejected", actor, reason, decided_by=actor, closed_at=timezone.now()
        )


def release(row: Recommendation, *, revision: int, actor: User) -> Recommendation:
    """Release a recommendation to the patient; this approves one that was only proposed.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_changed``, ``recommendation_closed``, ``recommendation_clinicians``,
            ``release_portal``, ``recommendation_nagging`` or ``recommendation_forbidden``.
    """
    with transaction.atomic():
        now = _locked(row, revision, actor, (RecommendationState.PROPOSED, RecommendationState.APPROVED))
        if now.item.clinicians_only:
            raise UserError("recommendation_clinicians")
        _refuse_forbidden(now)
        shown = Recommendation.objects.filter(patient=now.patient, state__in=SHOWN_STATES).count()
        if shown >= settings.MAX_SHOWN_RECOMMENDATIONS and not now.urgency:
            raise UserError("recommendation_nagging", number=shown)
        now.words = {part: now.words.get(part) or now.item.content[part] for part in ("title", *PARTS)}
        now.save(
            update_fields=["words"]
        )  # the released wording is frozen: later changes of the catalogue do not affect it
        moved = _transition(
            now, RecommendationState.RELEASED, "released", actor,
            decided_by=actor, released_by=actor, released_at=timezone.now(),
        )  # fmt: skip
        release_to_patient(
            now.patient,
            ReleaseKind.RECOMMENDATION,
            now.pk,
            now.words["patient_text"]["en"],
            actor=actor,
            notice="recommendation_told",
        )
    return moved


def mark_done(row: Recommendation, *, revision: int, actor: User) -> Recommendation:
    """Mark a recommendation as done by a physician: one for clinicians only, or one carried out on site.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_changed`` or ``recommendation_closed``.
    """
    with transaction.atomic():
        now = _locked(row, revision, actor, tuple(_OPEN))
        return _transition(
            now, RecommendationState.DONE, "done", actor, decided_by=now.decided_by or actor, closed_at=timezone.now()
        )


def recall(row: Recommendation, reason: str, *, revision: int, actor: User) -> None:
    """Recall a recommendation from the patient.

    Raises:
        PermissionError: if the actor is no physician of the patient.
        UserError: ``recommendation_reason``, ``recommendation_changed`` or ``recommendation_closed``.
    """
    if not reason.strip():
        raise UserError("recommendation_reason")
    with transaction.atomic():
        now = _locked(row, revision, actor, tuple(_OPEN))
        engine.recall(now, {"en": reason.strip()[:1000]}, actor)


@dataclass
class BulkOutcome:
    """Result of a bulk decision: number done, and (title, reason) of those refused."""

    done: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def bulk_decide(chosen: Iterable[tuple[str, int]], act: str, *, actor: User, reason: str = "") -> BulkOutcome:
    """Apply ``approve``, ``release`` or ``reject`` to each (id, revision); a refused one does not affect the others.

    Raises:
        ValueError: if ``act`` is not one of these.
    """
    acts: dict[str, Any] = {
        "approve": approve,
        "release": release,
        "reject": lambda row, **options: reject(row, reason, **options),
    }
    if act not in acts:
        raise ValueError(f"not a bulk action: {act}")
    wanted = dict(chosen)
    outcome = BulkOutcome()
    for row in visible_to(actor).filter(pk__in=wanted).select_related("patient", "item"):
        try:
            acts[act](row, revision=wanted[str(row.pk)], actor=actor)
            outcome.done += 1
        except UserError as refusal:
            outcome.refused.append((row.title, str(refusal)))
    return outcome


_OPEN = (RecommendationState.PROPOSED, RecommendationState.APPROVED, *SHOWN_STATES)


def _locked(row: Recommendation, revision: int, actor: User, states: tuple[RecommendationState, ...]) -> Recommendation:
    """Lock and return the current row; refuse if it changed since the actor saw it or is in another state."""
    require(actor, "recommendations.decide_recommendation", row)
    now = Recommendation.objects.select_for_update(of=("self",)).select_related("patient", "item").get(pk=row.pk)
    if not now.is_open:
        raise UserError("recommendation_closed")
    if now.revision != revision or now.state not in states:
        raise UserError("recommendation_changed")
    return now


def _refuse_forbidden(row: Recommendation) -> None:
    reasons = engine.held_back_reasons(row)
    if reasons:
        language = get_language() or "en"
        raise UserError(
            "recommendation_forbidden", why=" ".join(reason.get(language) or reason["en"] for reason in reasons)
        )


def _transition(
    row: Recommendation, state: RecommendationState, act: str, actor: User, reason: str = "", **fields: Any
) -> Recommendation:
    Recommendation.objects.filter(pk=row.pk).update(state=state, revision=F("revision") + 1, **fields)
    engine.log_recommendation_event(row, act, actor, reason.strip()[:1000])
    audit.record(actor, f"recommendation.{act}", row, why="treatment", item=row.item.code)
    row.refresh_from_db()
    return row

"""From a patient's facts to recommendations: rules decide, the ranker orders, contraindicated ones are held back."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import PHYSICIANS, Notice, Role, User
from apps.accounts.notifications import notify
from apps.contact.mail import notify_patient
from apps.contact.models import ReleaseKind
from apps.contact.patient_release import end_releases
from apps.inference.output_checks import require_finite
from apps.jobs.enqueue import enqueue_job
from apps.jobs.models import FINAL_STATES, State
from apps.jobs.models import Urgency as Wait
from apps.patients.access import permits
from apps.patients.models import Patient, Purpose
from apps.recommendations import catalogue
from apps.recommendations.access import require, waiting_for
from apps.recommendations.guidelines.expressions import Facts
from apps.recommendations.guidelines.rule_engine import URGENCIES, Decision, Verdict, decide
from apps.recommendations.models import (
    OPEN_STATES,
    SHOWN_STATES,
    CareItem,
    GuidelineRule,
    Recommendation,
    RecommendationEvent,
    RecommendationState,
    RuleEvaluation,
)
from apps.recommendations.patient_facts import facts_of
from apps.recommendations.ranking.features import features_of
from apps.recommendations.ranking.ranker import WEIGHTS, Act, Ranker, Scored, order

logger = logging.getLogger(__name__)
ACTOR = System("guideline check")
MAX_STORED_EVALUATIONS = 3
COOLDOWN_DAYS = 180
"""Cooldown in days before a declined, rejected or expired item is proposed again."""
ACTS = tuple(WEIGHTS)
"""Events the ranker learns from."""


def request_evaluation(patient: Patient, *, interactive: bool = False) -> None:
    """Queue a rule evaluation for a patient, or raise the urgency of the queued one.

    Args:
        interactive: whether a user is waiting for the result.
    """
    urgency = Wait.INTERACTIVE if interactive else Wait.BACKGROUND
    try:
        with transaction.atomic():
            evaluation = RuleEvaluation.objects.create(patient=patient, urgency=urgency)
    except IntegrityError:
        RuleEvaluation.objects.filter(patient=patient, state=State.QUEUED, urgency__lt=urgency).update(urgency=urgency)
        return
    enqueue_job(evaluation)


@dataclass(frozen=True)
class EvaluatedRules:
    """Result of a rule evaluation.

    Attributes:
        order: codes of the proposed items in ranked order.
        scores: of the ranker by item code; empty without a ranker.
        ranker: package and version, or empty.
    """

    verdict: Verdict
    order: list[str]
    scores: dict[str, Scored]
    ranker: str


def evaluate_rules(patient: Patient, ranker: Ranker | None, name: str) -> EvaluatedRules:
    """Evaluate the rules and rank the proposals; nothing is written.

    Args:
        ranker: used only if the patient consents to AI.
        name: package and version of the ranker; empty without one.
    """
    facts = facts_of(patient)
    verdict = verdict_of(patient, facts)
    use = ranker if permits(patient, Purpose.AI) else None
    scores = use.scores(features_of(facts), history_of(patient)) if use else {}
    require_finite([score.score for score in scores.values()])
    kinds = dict(CareItem.objects.values_list("code", "kind"))
    candidates = [
        (row.item, kinds[row.item], URGENCIES.index(row.urgency), scores[row.item].score if row.item in scores else 0.0)
        for row in verdict.decisions
        if row.proposed
    ]
    return EvaluatedRules(verdict, order(candidates), scores, name if use else "")


def store_evaluation(evaluation: RuleEvaluation, evaluated: EvaluatedRules) -> None:
    """Create proposals, update pending ones and recall those no longer supported; runs in the caller's transaction."""
    patient = evaluation.patient
    if not permits(patient, Purpose.CARE):
        return
    items = {row.code: row for row in CareItem.objects.filter(withdrawn_at=None)}
    in_cooldown = items_in_cooldown(patient)
    open_rows = {
        row.item.code: row
        for row in Recommendation.objects.select_for_update(of=("self",))
        .filter(patient=patient, state__in=OPEN_STATES)
        .select_related("item", "patient")
    }
    proposed = {row.item: row for row in evaluated.verdict.decisions if row.proposed}
    new = 0
    for position, code in enumerate(evaluated.order):
        row = open_rows.get(code)
        if row is None and code not in in_cooldown:
            _propose(patient, items[code], proposed[code], position, evaluated)
            new += 1
        elif row is not None and row.state == RecommendationState.PROPOSED:
            _update(row, proposed[code], position, evaluated)
    for code, row in open_rows.items():
        _recall_if_unsupported(row, proposed.get(code), evaluated.verdict)
    _report_invalid_rules(evaluated.verdict.broken)
    _delete_old(evaluation)
    if new:
        physicians = User.objects.filter(
            care_teams__in=patient.care_teams.all(), role__in=PHYSICIANS, is_active=True
        ).distinct()
        _notify_once(list(physicians))


def held_back_reasons(recommendation: Recommendation) -> list[dict[str, str]]:
    """Reasons against the item given the current facts, by language; checked before every step towards the patient."""
    patient, item = recommendation.patient, recommendation.item
    if item.withdrawn_at is not None:
        return [{"en": "The item was withdrawn from the catalogue.", "zh-hans": "该项目已从目录撤回。"}]
    decisions = verdict_of(patient, facts_of(patient), only=item.code).decisions
    decision = decisions[0] if decisions else None
    if decision is None:
        return [{"en": "No rule calls for it any more.", "zh-hans": "已没有规则支持该建议。"}]
    return decision.held_back


def verdict_of(patient: Patient, facts: Facts, *, only: str = "") -> Verdict:
    """Evaluate all active rules, or those of one item, on these facts; nothing is written."""
    rules = [rule for rule in catalogue.rules() if not only or rule.item == only]
    return decide(facts, rules, catalogue.items(), days_since_done(patient))


def days_since_done(patient: Patient) -> dict[str, int]:
    """Days since each item was last done, by item code."""
    now = timezone.now()
    rows = Recommendation.objects.filter(patient=patient, state=RecommendationState.DONE).order_by("closed_at")
    return {code: (now - at).days for code, at in rows.values_list("item__code", "closed_at") if at}


def history_of(patient: Patient) -> list[Act]:
    """The patient's responses to earlier recommendations, as input of the ranker."""
    now = timezone.now()
    rows = RecommendationEvent.objects.filter(recommendation__patient=patient, act__in=ACTS).values_list(
        "recommendation__item__code", "act", "at"
    )
    return [Act(code, act, (now - at).total_seconds() / 86_400) for code, act, at in rows]


def log_recommendation_event(
    recommendation: Recommendation, act: str, actor: User | None, words: Any = "", **codes: Any
) -> RecommendationEvent:
    """Append an event to the recommendation's history."""
    event = RecommendationEvent(recommendation=recommendation, act=act, actor=actor)
    event.said = {**({"words": words} if words else {}), **codes}
    event.save(force_insert=True)
    return event


def withdraw_item(item: CareItem, reason: str, *, actor: Any) -> int:
    """Withdraw an item from the catalogue and recall its open recommendations; return their number.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require(actor, "recommendations.change_catalogue")
    with transaction.atomic():
        if not CareItem.objects.filter(pk=item.pk, withdrawn_at=None).update(
            withdrawn_at=timezone.now(), revision=F("revision") + 1
        ):
            return 0
        audit.record(actor, "item.withdrawn", item, code=item.code)
        rows = Recommendation.objects.filter(item=item, state__in=OPEN_STATES).select_related("patient", "item")
        words = {"en": f"Withdrawn from the catalogue. {reason}".strip(), "zh-hans": f"已从目录撤回。{reason}".strip()}
        for row in rows:
            recall(row, words)
    return len(rows)


def recall(row: Recommendation, words: dict[str, str], actor: User | None = None) -> bool:
    """Recall an open recommendation, notifying the patient if it was shown; return False if it is not open."""
    shown = row.state in SHOWN_STATES
    done = Recommendation.objects.filter(pk=row.pk, state__in=OPEN_STATES).update(
        state=RecommendationState.RECALLED, closed_at=timezone.now(), revision=F("revision") + 1
    )
    if done:
        log_recommendation_event(row, "recalled", actor, words)
        end_releases(ReleaseKind.RECOMMENDATION, row.pk, actor=actor or ACTOR)
        audit.record(actor or ACTOR, "recommendation.recalled", row, why="treatment", item=row.item.code)
        if shown and row.patient.portal_user_id:
            notify_patient(row.patient, "recommendation_recalled")
    return bool(done)


def _propose(patient: Patient, item: CareItem, decision: Decision, position: int, evaluated: EvaluatedRules) -> None:
    row = Recommendation(patient=patient, item=item)
    _fill(row, decision, position, evaluated)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another worker created it first
        return
    log_recommendation_event(row, "proposed", None)
    audit.record(ACTOR, "recommendation.proposed", row, item=item.code)


def _update(row: Recommendation, decision: Decision, position: int, evaluated: EvaluatedRules) -> None:
    before = (row.why, row.urgency, row.position)
    _fill(row, decision, position, evaluated)
    if (row.why, row.urgency, row.position) != before:
        row.save(update_fields=["why", "urgency", "position"])


def _fill(row: Recommendation, decision: Decision, position: int, evaluated: EvaluatedRules) -> None:
    row.urgency, row.position = URGENCIES.index(decision.urgency), position
    if row._state.adding:
        row.due = timezone.localdate() + timedelta(days=decision.due_days)
    row.why = justification_of(decision, evaluated.scores.get(decision.item), evaluated.ranker)


def justification_of(decision: Decision, scored: Scored | None, ranker: str) -> dict[str, Any]:
    """The justification as it is stored with the recommendation."""
    grounds = [
        {
            "rule": ground.rule.code,
            "version": ground.rule.version,
            "citation": ground.rule.citation,
            "url": ground.rule.url,
            "grade": ground.rule.grade,
            "facts": [asdict(fact) for fact in ground.facts],
        }
        for ground in decision.grounds
    ]
    return {"grounds": grounds, **({"ranked": asdict(scored), "ranker": ranker} if scored and ranker else {})}


def _recall_if_unsupported(row: Recommendation, decision: Decision | None, verdict: Verdict) -> None:
    """Recall a recommendation that is now contraindicated or that no rule supports any more."""
    if decision is not None:
        return
    held = next((entry.held_back for entry in verdict.decisions if entry.item == row.item.code), None)
    broken = {code for code, _why in verdict.broken}
    if held is None and broken.intersection(ground["rule"] for ground in row.why.get("grounds", [])):
        return  # the rule failed to evaluate; the facts have not changed
    if held is None and row.state in (RecommendationState.ACCEPTED,):
        return  # the patient has accepted, and nothing contraindicates it
    words = (
        _join_reasons(held)
        if held
        else {"en": "The facts that led to it have changed.", "zh-hans": "依据的情况已改变。"}
    )
    recall(row, words)


def _join_reasons(reasons: list[dict[str, str]]) -> dict[str, str]:
    return {language: " ".join(reason[language] for reason in reasons) for language in ("en", "zh-hans")}


def items_in_cooldown(patient: Patient) -> set[str]:
    """Items declined, rejected or expired within COOLDOWN_DAYS: they are not proposed again yet."""
    since = timezone.now() - timedelta(days=COOLDOWN_DAYS)
    rows = Recommendation.objects.filter(
        patient=patient,
        state__in=(RecommendationState.DECLINED, RecommendationState.REJECTED, RecommendationState.EXPIRED),
        closed_at__gte=since,
    )
    return set(rows.values_list("item__code", flat=True))


def _delete_old(evaluation: RuleEvaluation) -> None:
    """Keep only the newest evaluations: every patient is evaluated weekly, indefinitely."""
    done = RuleEvaluation.objects.filter(patient=evaluation.patient_id, state__in=FINAL_STATES).order_by("-queued_at")
    RuleEvaluation.objects.filter(pk__in=list(done.values_list("pk", flat=True)[MAX_STORED_EVALUATIONS:])).delete()


def _report_invalid_rules(broken: list[tuple[str, str]]) -> None:
    """Mark rules that failed to evaluate and notify the administrators, once until the rule is fixed."""
    for code, why in broken:
        if GuidelineRule.objects.filter(code=code, active=True, broken="").update(broken=why[:300]):
            logger.error("guideline rule %s cannot be evaluated: %s", code, why)
            notify(User.objects.filter(role=Role.ADMIN, is_active=True), "rule_stumbled", rule=code)


def _notify_once(physicians: list[User]) -> None:
    """Replace each physician's unread notice of pending recommendations with one showing the current number."""
    for user in physicians:
        Notice.objects.filter(user=user, code="recommendations_waiting", read_at=None).delete()
        notify([user], "recommendations_waiting", number=waiting_for(user).count())

"""Alarm rules of care teams and the alarms they raise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import System
from apps.accounts.models import PHYSICIANS, CareTeam, User
from apps.accounts.notifications import notify
from apps.jobs.errors import UserError
from apps.predictions.models import Alarm, AlarmAcknowledgement, AlarmRule, PredictionKind
from apps.records.access import require
from apps.records.event_log import log_event
from apps.records.models import Case, EventKind, Observation
from apps.terminology.loinc import STANDS_IN, catalogue

RISK = "risk"
FRESH = timedelta(hours=24)
"""Older values raise no alarm."""
SNOOZES = (15, 60, 240)
"""Minutes."""


def set_rule(team: CareTeam, what: str, *, above: float | None, below: float | None, actor: User) -> AlarmRule:
    """Create or update the team's rule about one measurement or the risk.

    Raises:
        PermissionError: if the actor is no physician of the team.
        UserError: ``value_code`` for an unknown code, ``value_number`` without a limit.
    """
    if actor.role not in PHYSICIANS or not team.members.filter(pk=actor.pk).exists():
        raise PermissionError("only physicians of the team may set its rules")
    if what != RISK and what not in catalogue():
        raise UserError("value_code", given=what[:40])
    if above is None and below is None:
        raise UserError("value_number", value="")
    with transaction.atomic():
        rule, _ = AlarmRule.objects.update_or_create(
            care_team=team, what=what, defaults={"above": above, "below": below, "active": True, "made_by": actor}
        )
        audit.record(actor, "alarm.rule_set", rule, what=what, above=above, below=below)
    return rule


def stop_rule(rule: AlarmRule, *, actor: User) -> bool:
    """Deactivate a rule; return False if it was inactive before.

    Raises:
        PermissionError: if the actor is no physician of the team.
    """
    if actor.role not in PHYSICIANS or not rule.care_team.members.filter(pk=actor.pk).exists():
        raise PermissionError("only physicians of the team may set its rules")
    done = AlarmRule.objects.filter(pk=rule.pk, active=True).update(active=False)
    if done:
        audit.record(actor, "alarm.rule_stopped", rule)
    return bool(done)


def evaluate(case: Case) -> list[Alarm]:
    """Check the newest values and risk against the rules of the patient's teams; return the alarms raised."""
    from apps.predictions.prediction_requests import answered

    if not case.is_open:
        return []
    _withdraw_unfounded(case)
    rules = list(
        AlarmRule.objects.filter(care_team__patients=case.patient, active=True).select_related("care_team").distinct()
    )
    if not rules:
        return []
    since = timezone.now() - FRESH
    newest = _newest(case, {rule.what for rule in rules}, since)
    prediction = answered(case, PredictionKind.DETERIORATION)
    if prediction is not None and prediction.as_of >= since:
        newest[RISK] = Reading(100 * prediction.answer["risk"])
    raised = [_raise(case, rule, newest[rule.what]) for rule in rules if _met(rule, newest.get(rule.what))]
    return [alarm for alarm in raised if alarm is not None]


def open_alarms(case: Case, *, user: User) -> list[Alarm]:
    """Return the case's alarms that have not ended, and record that the user has seen them."""
    rows = (
        Alarm.objects.filter(case=case, ended_at=None).select_related("rule", "case").prefetch_related("sights__user")
    )
    alarms = list(rows)
    unseen = [alarm for alarm in alarms if all(sight.user_id != user.pk for sight in alarm.sights.all())]
    if unseen:
        AlarmAcknowledgement.objects.bulk_create(
            [AlarmAcknowledgement(alarm=alarm, user=user) for alarm in unseen], ignore_conflicts=True
        )
        audit.record(user, "alarm.seen", case, why="treatment", alarms=[str(alarm.pk) for alarm in unseen])
        return list(rows.all())
    return alarms


def snooze(alarm: Alarm, minutes: int, *, actor: User) -> bool:
    """Silence an alarm for some minutes; return False if it has ended.

    Raises:
        PermissionError: if the actor does not see the case.
        ValueError: if ``minutes`` is not one of SNOOZES.
    """
    require(actor, "records.view_case", alarm.case)
    if minutes not in SNOOZES:
        raise ValueError(f"minutes must be one of {SNOOZES}")
    until = timezone.now() + timedelta(minutes=minutes)
    done = Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(snoozed_until=until)
    if done:
        audit.record(actor, "alarm.snoozed", alarm, why="treatment", minutes=minutes)
    return bool(done)


def finish(alarm: Alarm, *, actor: User) -> bool:
    """End an alarm; return False if it had ended before.

    Raises:
        PermissionError: if the actor does not see the case.
    """
    require(actor, "records.view_case", alarm.case)
    with transaction.atomic():
        done = Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(ended_at=timezone.now(), ended_by=actor)
        if done:
            log_event(
                alarm.case,
                EventKind.ALARM,
                "alarm.ended",
                subject=f"alarm:{alarm.pk}",
                actor=actor,
                what=title(alarm.rule),
            )
            audit.record(actor, "alarm.ended", alarm, why="treatment")
    return bool(done)


def title(rule: AlarmRule) -> str:
    """What the rule monitors, in English, for the timeline."""
    return "Risk of death in hospital" if rule.what == RISK else catalogue()[rule.what].title["en"]


@dataclass(frozen=True)
class Reading:
    """A number that a rule looks at: the risk, or an observation with its comparator."""

    value: float
    comparator: str = ""
    observation: str = ""


def _newest(case: Case, codes: set[str], since: datetime) -> dict[str, Reading]:
    """Return the newest value of each measurement that is not marked as entered in error."""
    wanted = codes | {code for code, other in STANDS_IN.items() if other in codes}
    rows = Observation.objects.filter(case=case, voided_at=None, at__gte=since, code__in=wanted)
    newest = {}
    for row in rows.select_related("case").order_by("at", "entered_at"):
        for code in {row.code, STANDS_IN.get(row.code, row.code)} & codes:
            newest[code] = Reading(row.value, row.comparator, str(row.pk))
    return newest


def _met(rule: AlarmRule, reading: Reading | None) -> bool:
    """Return whether a limit is crossed; a value known only as "below 0.5" crosses one if all it may mean does."""
    if reading is None:
        return False
    value, censored = reading.value, reading.comparator[:1]
    above = rule.above is not None and (value > rule.above or (censored == ">" and value >= rule.above))
    below = rule.below is not None and (value < rule.below or (censored == "<" and value <= rule.below))
    return (above and censored != "<") or (below and censored != ">")


def _withdraw_unfounded(case: Case) -> None:
    """Take back the alarms that rest on a value which was since marked as entered in error.

    If the newest value that is left crosses the limit as well, the alarm stays and shows that one.
    """
    for alarm in Alarm.objects.filter(case=case, ended_at=None).select_related("rule", "case"):
        observation = alarm.content.get("observation")
        if not observation or Observation.objects.filter(pk=observation, case=case, voided_at=None).exists():
            continue
        left = _newest(case, {alarm.rule.what}, alarm.raised_at - FRESH).get(alarm.rule.what)
        if left is not None and _met(alarm.rule, left):
            alarm.content = {**alarm.content, **_content(left)}
            alarm.save(update_fields=["content"])
        elif Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(ended_at=timezone.now()):
            what = title(alarm.rule)
            log_event(case, EventKind.ALARM, "alarm.withdrawn", subject=f"alarm:{alarm.pk}", what=what)
            audit.record(System("alarms"), "alarm.withdrawn", alarm, why="treatment")


def _content(reading: Reading) -> dict[str, Any]:
    return {"value": reading.value, "comparator": reading.comparator, "observation": reading.observation}


def _raise(case: Case, rule: AlarmRule, reading: Reading) -> Alarm | None:
    """Raise an alarm unless one of this rule is active; a new value then updates the active alarm."""
    active = Alarm.objects.filter(case=case, rule=rule, ended_at=None).select_related("case").first()
    if active is not None:
        active.content = {**active.content, **_content(reading)}
        active.save(update_fields=["content"])
        return None
    alarm = Alarm(case=case, rule=rule)
    alarm.content = {**_content(reading), "above": rule.above, "below": rule.below}
    try:
        with transaction.atomic():
            alarm.save(force_insert=True)
    except IntegrityError:
        return None
    log_event(
        case,
        EventKind.ALARM,
        f"alarm.{rule.what}",
        subject=f"alarm:{alarm.pk}",
        what=title(rule),
        value=f"{reading.comparator}{reading.value:g}",
    )
    recipients = (
        [case.assignee] if case.assignee else list(rule.care_team.members.filter(is_active=True, role__in=PHYSICIANS))
    )
    notify(recipients, "case_alarm", case=case.number)
    return alarm

"""Problems, allergies and medication: what is recorded are the words that were written, and beside them a code."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.jobs.errors import UserError
from apps.jobs.events import publish
from apps.records.access import require
from apps.records.event_log import log_event
from apps.records.events import StatementsChanged
from apps.records.models import (
    CURRENT,
    STATUSES,
    Case,
    EventKind,
    NoKnown,
    Statement,
    StatementKind,
    StatementStatus,
)

MAX_CHARACTERS = 300
DOSAGE = ("dose", "route", "frequency")
OVER = (StatementStatus.STOPPED, StatementStatus.RESOLVED)
"""Statuses of what has ended. The day is unknown unless somebody stated it: the day of recording is another one."""


def add_statement(
    case: Case,
    kind: StatementKind,
    *,
    text: str,
    actor: Actor,
    code: str = "",
    code_chosen: bool = True,
    since: date | None = None,
    ended: date | None = None,
    status: StatementStatus = StatementStatus.ACTIVE,
    **details: str,
) -> Statement:
    """Add a statement; return the recorded one if it says the same already.

    Stopping or holding a medication that is recorded as taken changes that statement. A first allergy ends the
    statement that none is known.

    Args:
        text: as written.
        code_chosen: whether the actor saw and chose the code; False if it was looked up without asking.
        details: see :class:`Statement`; empty ones are left out.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``case_closed``, ``statement_empty``, ``statement_status`` or ``allergies_recorded``.
    """
    require(actor, "records.view_case", case)
    text = " ".join(text.split())[:MAX_CHARACTERS]
    if not text:
        raise UserError("statement_empty")
    if status not in STATUSES[kind]:
        raise UserError("statement_status")
    user = None if isinstance(actor, System) else actor
    kept = {name: value for name, value in details.items() if value}
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        existing = recorded(case, kind, text=text, code=code, details=kept, status=status)
        if existing is not None:
            if existing.status != status:
                words = kept.get("ended_as_stated", "")
                set_status(existing, status, ended=ended, ended_as_stated=words, actor=actor)
            return existing
        _settle_no_known(case, kind, kept, actor)
        statement = Statement(case=case, kind=kind, since=since, status=status, entered_by=user)
        statement.ended = ended if status in OVER else None
        statement.coded_by = user if code and code_chosen else None
        statement.details = {"text": text, **({"code": code[:40]} if code else {}), **kept}
        statement.save(force_insert=True)
        _record_change(statement, actor)
    return statement


def recorded(
    case: Case, kind: StatementKind, *, text: str, code: str, details: dict[str, str], status: StatementStatus
) -> Statement | None:
    """Return the current statement that a new one repeats or changes, or None.

    The same substance in another dose is another statement: none of the two is dropped.
    """
    rows = Statement.objects.filter(case=case, kind=kind, status__in=CURRENT).select_related("case")
    for row in rows:
        same = row.text.casefold() == text.casefold() or bool(code and row.code == code)
        if not same or row.no_known != details.get("no_known", ""):
            continue
        if kind != StatementKind.MEDICATION or status in (StatementStatus.STOPPED, StatementStatus.ON_HOLD):
            return row
        said = {name: details[name] for name in DOSAGE if details.get(name)}
        if all(row.details.get(name) == value for name, value in said.items()):
            return row
    return None


def set_status(
    statement: Statement,
    status: StatementStatus,
    *,
    actor: Actor,
    ended: date | None = None,
    ended_as_stated: str = "",
) -> bool:
    """Change the status; False if it is already so.

    Args:
        ended: the day on which it was stopped or resolved; None if it is unknown.
        ended_as_stated: when it ended, in the words that were written.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``statement_status`` if this kind of statement cannot have the status.
    """
    require(actor, "records.view_case", statement.case)
    if status not in (*STATUSES[StatementKind(statement.kind)], StatementStatus.ERROR):
        raise UserError("statement_status")
    day, details = statement.ended, dict(statement.details)
    if status != StatementStatus.ERROR:  # what was wrong stays as it was
        day = ended if status in OVER else None
        details.pop("ended_as_stated", None)
        details |= {"ended_as_stated": ended_as_stated} if ended_as_stated and status in OVER else {}
    with transaction.atomic():
        rows = Statement.objects.filter(pk=statement.pk).exclude(status=status)
        changed = rows.update(status=status, ended=day)
        if changed:
            statement.status, statement.ended = status, day
            if details != statement.details:
                statement.details = details
                statement.save(update_fields=["details"])
            _record_change(statement, actor)
    return bool(changed)


def _settle_no_known(case: Case, kind: StatementKind, details: dict[str, str], actor: Actor) -> None:
    """Keep "no known allergies" and allergies apart: the first allergy ends the statement that there is none.

    Raises:
        UserError: ``allergies_recorded`` if allergies are recorded and none shall be known.
    """
    if kind != StatementKind.ALLERGY:
        return
    rows = list(Statement.objects.filter(case=case, kind=kind, status=StatementStatus.ACTIVE).select_related("case"))
    allergies = [row for row in rows if not row.no_known]
    if details.get("no_known") and allergies:
        raise UserError("allergies_recorded", list=", ".join(row.text for row in allergies)[:120])
    if not details.get("no_known"):
        for row in rows:
            if row.no_known:
                set_status(row, StatementStatus.RESOLVED, actor=actor)


def no_known_text(scope: str) -> str:
    """Return the words for a statement that no allergies are known."""
    return str(NoKnown(scope).label)


def _record_change(statement: Statement, actor: Actor) -> None:
    user = None if isinstance(actor, System) else actor
    kind = EventKind.MEDICATION if statement.kind == StatementKind.MEDICATION else EventKind.DECISION
    words: dict[str, Any] = {"what": statement.text, "status": str(StatementStatus(statement.status).label)}
    log_event(statement.case, kind, f"statement.{statement.kind}.{statement.status}", actor=user, **words)
    audit.record(actor, "statement.set", statement, why="treatment", kind=statement.kind, status=statement.status)
    publish(StatementsChanged(statement.case_id))

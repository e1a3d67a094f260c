"""Problems, allergies and medication."""

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
from apps.records.models import Case, EventKind, Statement, StatementKind, StatementStatus


def add_statement(
    case: Case,
    kind: StatementKind,
    *,
    text: str,
    actor: Actor,
    code: str = "",
    since: date | None = None,
    status: StatementStatus = StatementStatus.ACTIVE,
    **details: str,
) -> Statement:
    """Add a statement, or return the active one with the same kind and code or text.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``case_closed``.
    """
    require(actor, "records.view_case", case)
    user = None if isinstance(actor, System) else actor
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        for existing in Statement.objects.filter(case=case, kind=kind, status=StatementStatus.ACTIVE).select_related(
            "case"
        ):
            if (code and existing.code == code) or existing.details["text"].casefold() == text.strip().casefold():
                return existing
        statement = Statement(case=case, kind=kind, since=since, status=status, entered_by=user)
        extra = {"code": code[:40], **details}
        statement.details = {"text": text.strip()[:300], **{name: value for name, value in extra.items() if value}}
        statement.save(force_insert=True)
        _record_change(statement, actor)
    return statement


def set_status(statement: Statement, status: StatementStatus, *, actor: Actor) -> bool:
    """Set a statement to resolved, active or entered in error; False if it already has this status.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    require(actor, "records.view_case", statement.case)
    with transaction.atomic():
        changed = Statement.objects.filter(pk=statement.pk).exclude(status=status).update(status=status)
        if changed:
            statement.status = status
            _record_change(statement, actor)
    return bool(changed)


def _record_change(statement: Statement, actor: Actor) -> None:
    user = None if isinstance(actor, System) else actor
    kind = EventKind.MEDICATION if statement.kind == StatementKind.MEDICATION else EventKind.DECISION
    words: dict[str, Any] = {"what": statement.details["text"], "status": str(StatementStatus(statement.status).label)}
    log_event(statement.case, kind, f"statement.{statement.kind}.{statement.status}", actor=user, **words)
    audit.record(actor, "statement.set", statement, why="treatment", kind=statement.kind, status=statement.status)
    publish(StatementsChanged(statement.case_id))

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
    """Add a statement; one of the same kind and code that is active already is returned instead.

    Raises:
        PermissionError: if the actor does not care for the patient.
        UserError: ``case_closed``.
    """
    require(actor, "records.view_case", case)
    person = None if isinstance(actor, System) else actor
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise UserError("case_closed")
        for known in Statement.objects.filter(case=case, kind=kind, status=StatementStatus.ACTIVE).select_related(
            "case"
        ):
            if (code and known.code == code) or known.details["text"].casefold() == text.strip().casefold():
                return known
        statement = Statement(case=case, kind=kind, since=since, status=status, entered_by=person)
        said = {"code": code[:40], **details}
        statement.details = {"text": text.strip()[:300], **{name: value for name, value in said.items() if value}}
        statement.save(force_insert=True)
        _tell(statement, actor)
    return statement


def set_status(statement: Statement, status: StatementStatus, *, actor: Actor) -> bool:
    """Resolved, active again, or entered in error; False if it is so already.

    Raises:
        PermissionError: if the actor does not care for the patient.
    """
    require(actor, "records.view_case", statement.case)
    with transaction.atomic():
        changed = Statement.objects.filter(pk=statement.pk).exclude(status=status).update(status=status)
        if changed:
            statement.status = status
            _tell(statement, actor)
    return bool(changed)


def _tell(statement: Statement, actor: Actor) -> None:
    person = None if isinstance(actor, System) else actor
    kind = EventKind.MEDICATION if statement.kind == StatementKind.MEDICATION else EventKind.DECISION
    words: dict[str, Any] = {"what": statement.details["text"], "status": str(StatementStatus(statement.status).label)}
    log_event(statement.case, kind, f"statement.{statement.kind}.{statement.status}", actor=person, **words)
    audit.record(actor, "statement.set", statement, why="treatment", kind=statement.kind, status=statement.status)
    publish(StatementsChanged(statement.case_id))

"""Problems, allergies and medication."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.cases.access import require
from apps.cases.models import Case, Code, EventKind, Statement, StatementKind, StatementStatus
from apps.cases.timeline import happened, ring
from apps.jobs.errors import ReadableError

ICD10 = "icd10cm"


def state(
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
        ReadableError: ``case_closed``.
    """
    require(actor, "cases.view_case", case)
    person = None if isinstance(actor, System) else actor
    with transaction.atomic():
        if not Case.objects.select_for_update().get(pk=case.pk).is_open:
            raise ReadableError("case_closed")
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
    require(actor, "cases.view_case", statement.case)
    with transaction.atomic():
        changed = Statement.objects.filter(pk=statement.pk).exclude(status=status).update(status=status)
        if changed:
            statement.status = status
            _tell(statement, actor)
    return bool(changed)


def codes_like(text: str, *, limit: int = 20) -> QuerySet[Code]:
    """ICD-10-CM codes that begin so, or whose title holds every word."""
    rows = Code.objects.filter(system=ICD10)
    wanted = text.strip().casefold()
    if not wanted:
        return rows.none()
    if wanted[0].isalpha() and len(wanted) > 1 and wanted[1].isdigit():
        return rows.filter(code__istartswith=wanted).order_by("code")[:limit]
    for word in wanted.split():
        rows = rows.filter(folded__contains=word)
    return rows.order_by("code")[:limit]


def title_of(code: str) -> str:
    """The title of an ICD-10-CM code, empty for an unknown one."""
    return Code.objects.filter(system=ICD10, code=code).values_list("title", flat=True).first() or ""


def _tell(statement: Statement, actor: Actor) -> None:
    person = None if isinstance(actor, System) else actor
    kind = EventKind.MEDICATION if statement.kind == StatementKind.MEDICATION else EventKind.DECISION
    words: dict[str, Any] = {"what": statement.details["text"], "status": str(StatementStatus(statement.status).label)}
    happened(statement.case, kind, f"statement.{statement.kind}.{statement.status}", actor=person, **words)
    audit.record(actor, "statement.set", statement, why="treatment", kind=statement.kind, status=statement.status)
    ring(statement.case)

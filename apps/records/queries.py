"""Shared queries on patient records."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.records.access import visible_to
from apps.records.models import Case, Statement, StatementKind, StatementStatus


def full(actor: User) -> QuerySet[Case]:
    """Return the actor's cases, joined with what the page header shows."""
    return visible_to(actor).select_related("patient", "assignee", "care_team", "merged_into")


def of_patient(actor: User, patient_id: Any) -> QuerySet[Case]:
    """Return the patient's cases that the actor may see, newest first."""
    return visible_to(actor).filter(patient=patient_id).select_related("patient").order_by("-started_at")


def of_study(actor: User, study_id: Any) -> QuerySet[Case]:
    """Return the cases that the study belongs to."""
    return (
        visible_to(actor).filter(studies=study_id, merged_into=None).select_related("patient").order_by("-started_at")
    )


def statements(case: Case) -> dict[str, list[Statement]]:
    """Return the case's statements by kind, active ones first; those entered in error are left out."""
    rows = (
        Statement.objects.filter(case=case)
        .exclude(status=StatementStatus.ERROR)
        .select_related("case", "entered_by", "coded_by", "corrects__case", "corrects__entered_by")
    )
    by_kind: dict[str, list[Statement]] = {kind: [] for kind in StatementKind.values}
    for row in rows:
        by_kind[row.kind].append(row)
    return by_kind


def allergies_of(case: Case) -> list[Statement]:
    """Return the patient's active allergies in all cases; alone, the statement that none is known."""
    rows = list(
        Statement.objects.filter(
            case__patient=case.patient_id, kind=StatementKind.ALLERGY, status=StatementStatus.ACTIVE
        ).select_related("case")
    )
    known = [row for row in rows if not row.no_known]
    return known or rows[:1]

"""Reads of charts that more than one caller needs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.records.access import visible_to
from apps.records.models import Case, Statement, StatementKind, StatementStatus


def full(actor: User) -> QuerySet[Case]:
    """The actor's cases with what a page's head shows."""
    return visible_to(actor).select_related("patient", "assignee", "care_team", "merged_into")


def of_patient(actor: User, patient_id: Any) -> QuerySet[Case]:
    """The patient's cases that the actor sees, newest first."""
    return visible_to(actor).filter(patient=patient_id).select_related("patient").order_by("-started_at")


def of_study(actor: User, study_id: Any) -> QuerySet[Case]:
    """The cases that the study belongs to."""
    return (
        visible_to(actor).filter(studies=study_id, merged_into=None).select_related("patient").order_by("-started_at")
    )


def statements(case: Case) -> dict[str, list[Statement]]:
    """Active first, by kind; what was entered in error is left out."""
    rows = (
        Statement.objects.filter(case=case).exclude(status=StatementStatus.ERROR).select_related("case", "entered_by")
    )
    found: dict[str, list[Statement]] = {kind: [] for kind in StatementKind.values}
    for row in rows:
        found[row.kind].append(row)
    return found

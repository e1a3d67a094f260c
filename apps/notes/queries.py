"""Queries of notes with more than one caller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.jobs.models import State
from apps.notes.models import Concept, Discordance, Summary
from apps.records.access import models_permitted
from apps.records.models import Case


def concepts_by_kind(concepts: Iterable[Concept]) -> dict[str, list[Concept]]:
    """Group the concepts of an extraction by kind."""
    groups: dict[str, list[Concept]] = {}
    for concept in concepts:
        groups.setdefault(concept.kind, []).append(concept)
    return groups


def summary_context(case: Case) -> dict[str, Any]:
    """Template context: the newest finished summary, and the state of a newer one."""
    rows = Summary.objects.filter(case=case).select_related("case")
    return {
        "summary": rows.filter(state=State.SUCCEEDED).first(),
        "summing": rows.filter(state__in=[State.QUEUED, State.RUNNING]).exists(),
        "summary_problem": rows.filter(state__in=[State.REFUSED, State.FAILED]).first(),
        "ai_permitted": models_permitted(case.patient),
    }


def discordances(case: Case) -> list[dict[str, Any]]:
    """Unsettled discordances with the finding and the note's text around the concept."""
    rows = Discordance.objects.filter(case=case, settled_at=None).select_related(
        "finding__analysis__package", "finding__analysis__series__study", "concept__reading__note__case", "case"
    )
    return [
        {
            "row": row,
            "finding": row.finding,
            "percent": 100 * row.finding.probability,
            "note": row.concept.reading.note,
            "denies": row.concept.negated,
            "text": row.concept.reading.note.text[max(row.concept.start - 60, 0) : row.concept.end + 60],
        }
        for row in rows
    ]

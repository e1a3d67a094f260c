"""Content of a report beside its text: model findings, key images, observations."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from apps.accounts.models import User
from apps.explainability.access import visible_to as visible_explanations
from apps.explainability.exports import film_with_overlay
from apps.explainability.models import Explanation
from apps.imaging.models import Study
from apps.inference.access import visible_findings
from apps.inference.models import Finding
from apps.records.access import visible_filter
from apps.records.models import Case
from apps.records.observations import trends
from apps.reports.models import Report

MAX_IMAGES = 4


def ai_results(study: Study | None, actor: User) -> list[dict[str, Any]]:
    """The models' findings on a study with the physicians' reviews, as JSON."""
    if study is None:
        return []
    rows = (
        visible_findings(actor)
        .filter(analysis__series__study=study, is_abnormal=True)
        .select_related("analysis__package", "analysis__series__study")
        .prefetch_related("reviews__reviewer")
        .order_by("analysis__package__name", "-analysis__queued_at", "position")
    )
    return [_ai(finding) for finding in rows]


def key_images(report: Report, actor: User) -> list[tuple[Explanation, str]]:
    """The selected explanations as overlays, each with a data URL; deleted ones are skipped."""
    wanted = report.content.get("images", [])
    rows = visible_explanations(actor).filter(pk__in=wanted, revision__gt=0)
    rows = rows.select_related("finding__analysis__package", "finding__instance__series__study")
    return [(row, _data(film_with_overlay(row))) for row in rows[:MAX_IMAGES]]


def choosable(study: Study | None, actor: User) -> list[Explanation]:
    """Explanations of the study that may be selected as key images."""
    if study is None:
        return []
    rows = visible_explanations(actor).filter(finding__analysis__series__study=study, revision__gt=0)
    return list(rows.select_related("finding__analysis__package")[:12])


def visible_reports(actor: User) -> Any:
    """Reports of the cases the actor may see."""
    rows = Report.objects.filter(visible_filter(actor, "case__"))
    return rows.select_related("case__patient", "study", "author").prefetch_related("versions__issued_by")


def newest_values(case: Case) -> list[dict[str, Any]]:
    """The newest value of each observation, as stored in a report."""
    return [
        {
            "code": trend.measure.code,
            "loinc": trend.measure.is_loinc,
            "title": trend.measure.title,
            "value": trend.last.value,
            "comparator": trend.last.comparator,
            "unit": trend.measure.unit,
            "flag": trend.flag,
            "low": trend.measure.low,
            "high": trend.measure.high,
            "at": trend.last.at.isoformat(),
        }
        for trend in trends(case)
    ]


def _ai(finding: Finding) -> dict[str, Any]:
    newest: dict[uuid.UUID | int, str] = {}
    for review in finding.reviews.all():
        newest.setdefault(review.reviewer_id, f"{review.verdict}:{review.reviewer}")
    return {
        "title": finding.card_label["title"],
        "percent": round(100 * finding.probability, 1),
        "positive": finding.positive,
        "model": str(finding.analysis.package),
        "verdicts": list(newest.values()),
    }


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"

"""Queries of analyses and packages with more than one caller."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from apps.accounts.actors import Actor
from apps.imaging.models import Study
from apps.inference.access import visible_to
from apps.inference.models import Analysis, Finding, PackageVersion, Review


def current_analyses(actor: Actor | None, study: Study) -> list[Analysis]:
    """The newest analysis of each series by each package, with findings and reviews."""
    rows = visible_to(actor).filter(series__study=study).select_related("package", "series")
    rows = rows.order_by("series__number", "series_id", "package__name", "-queued_at").prefetch_related(_findings())
    seen: set[tuple[object, str]] = set()
    newest = []
    for row in rows:
        key = (row.series_id, row.package.name)
        if key not in seen:
            seen.add(key)
            newest.append(row)
    return newest


def _findings() -> Prefetch[str, QuerySet[Finding], str]:
    reviews = Review.objects.select_related("reviewer")
    findings = Finding.objects.select_related("analysis__package", "analysis__series__study", "instance")
    return Prefetch("findings", findings.prefetch_related(Prefetch("reviews", reviews)))


def installed() -> QuerySet[PackageVersion]:
    """All package versions, active first."""
    return PackageVersion.objects.order_by("-active", "name", "-installed_at")


def label_titles() -> dict[str, dict[str, str]]:
    """Code and title of every abnormal label of the active packages, for filters."""
    return {
        label["code"]: label["title"]
        for package in PackageVersion.objects.filter(active=True)
        for label in package.card.get("labels", [])
        if label.get("finding")
    }

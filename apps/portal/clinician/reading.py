"""Data of the reading page: the findings panel and the viewer's manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts.models import User
from apps.explainability.drawing.volume import LEVELS
from apps.explainability.models import Explanation
from apps.explainability.queries import by_finding, strongest_slice, zones
from apps.imaging.models import Series, Study
from apps.imaging.study_objects import image_counts, undrawable
from apps.inference.models import Analysis, Finding
from apps.inference.queries import current_analyses
from apps.terminology.localisation import in_language


@dataclass(frozen=True)
class FindingRow:
    """A finding with its explanation."""

    finding: Finding
    explanation: Explanation | None
    corrections: list[tuple[str, str]]

    @property
    def awaited(self) -> bool:
        """Whether an explanation is about to be scheduled."""
        return self.explanation is None and self.finding.positive and self.finding.is_abnormal

    @property
    def places(self) -> list[dict[str, Any]]:
        """Attributions by anatomical region, strongest first."""
        return zones(self.explanation) if self.explanation is not None else []

    @property
    def percent(self) -> float:
        """Probability in percent."""
        return 100 * self.finding.probability

    @property
    def threshold_percent(self) -> float:
        """Threshold in percent."""
        return 100 * self.finding.threshold


@dataclass(frozen=True)
class AnalysisRow:
    """An analysis with its findings."""

    analysis: Analysis
    findings: list[FindingRow]


def read(actor: User, study: Study) -> list[AnalysisRow]:
    """Return all current analyses of a study, with findings and explanations."""
    analyses = current_analyses(actor, study)
    findings = [finding for analysis in analyses for finding in analysis.findings.all()]
    explanations = by_finding(actor, findings)

    def build_row(finding: Finding) -> FindingRow:
        own = explanations.get(finding.pk, [])
        return FindingRow(finding, own[-1] if own else None, _corrections(finding))

    return [AnalysisRow(analysis, [build_row(finding) for finding in analysis.findings.all()]) for analysis in analyses]


def under_way(analyses: list[AnalysisRow]) -> bool:
    """Return whether the page should poll: an analysis or explanation is unfinished or about to be scheduled."""
    for read_analysis in analyses:
        if not read_analysis.analysis.finished:
            return True
        for item in read_analysis.findings:
            if item.awaited:
                return True
            if item.explanation is not None and not item.explanation.finished:
                return True
    return False


def image_series(study: Study) -> list[Series]:
    """Return the series that have images to show, in the order of the manifest."""
    counts = image_counts(study)
    return [series for series in study.series.all() if series.series_instance_uid in counts]


def manifest(study: Study, analyses: list[AnalysisRow]) -> dict[str, Any]:
    """Build the viewer's manifest: series with images to fetch, what to leave out of them, and overlays by finding."""
    uid = study.study_instance_uid
    hidden = undrawable(study)
    return {
        "study": uid,
        "series": [
            {
                "uid": series.series_instance_uid,
                "modality": series.modality,
                "number": series.number,
                "description": series.headers.get("series_description", ""),
                "metadata": reverse("dicomweb:series-metadata", args=[uid, series.series_instance_uid]),
                "hidden": hidden.get(series.series_instance_uid, []),
            }
            for series in image_series(study)
        ],
        "overlays": [_overlay(item) for row in analyses for item in row.findings if _drawn(item)],
    }


def _drawn(item: FindingRow) -> bool:
    return item.explanation is not None and item.explanation.drawn


def _overlay(item: FindingRow) -> dict[str, Any]:
    assert item.explanation is not None
    return {
        "explanation": str(item.explanation.pk),
        "instance": strongest_slice(item.explanation),
        "slices": item.explanation.geometry.get("slices", []),
        "levels": LEVELS if item.explanation.geometry else 1,
        "frame": item.finding.frame,
        "title": item.finding.title,
        "png": reverse("explanation-overlay", args=[item.explanation.pk]),
        "revision": item.explanation.revision,
        "probes": reverse("finding-probes", args=[item.finding.pk]),
        "label": item.finding.label,
    }


def _corrections(finding: Finding) -> list[tuple[str, str]]:
    labels = finding.analysis.package.card["labels"]
    return [(label["code"], in_language(label["title"])) for label in labels if label["code"] != finding.label]

"""The reading page's data: what the findings panel shows, and the viewer's manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts.models import User
from apps.explainability.drawing.volume import LEVELS
from apps.explainability.models import Explanation
from apps.explainability.queries import by_finding, strongest_slice, zones
from apps.imaging.models import Study
from apps.inference.models import Analysis, Finding
from apps.inference.queries import current_analyses
from apps.terminology.localisation import in_language


@dataclass(frozen=True)
class ReadFinding:
    """A finding with its explanation."""

    finding: Finding
    explanation: Explanation | None
    corrections: list[tuple[str, str]]

    @property
    def awaited(self) -> bool:
        """Whether an explanation is about to be planned."""
        return self.explanation is None and self.finding.positive and self.finding.is_abnormal

    @property
    def places(self) -> list[dict[str, Any]]:
        """What falls to which part of the chest, strongest first."""
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
class ReadAnalysis:
    """An analysis with its findings."""

    analysis: Analysis
    findings: list[ReadFinding]


def read(actor: User, study: Study) -> list[ReadAnalysis]:
    """All current analyses of a study as the page shows them."""
    analyses = current_analyses(actor, study)
    findings = [finding for analysis in analyses for finding in analysis.findings.all()]
    explanations = by_finding(actor, findings)

    def joined(finding: Finding) -> ReadFinding:
        mine = explanations.get(finding.pk, [])
        return ReadFinding(finding, mine[-1] if mine else None, _corrections(finding))

    return [ReadAnalysis(analysis, [joined(finding) for finding in analysis.findings.all()]) for analysis in analyses]


def under_way(analyses: list[ReadAnalysis]) -> bool:
    """Whether the page should ask again: an analysis or explanation is not finished, or about to be planned."""
    for read_analysis in analyses:
        if not read_analysis.analysis.finished:
            return True
        for item in read_analysis.findings:
            if item.awaited:
                return True
            if item.explanation is not None and not item.explanation.finished:
                return True
    return False


def manifest(study: Study, analyses: list[ReadAnalysis]) -> dict[str, Any]:
    """What the viewer loads, in one answer: series to fetch, and overlays by finding."""
    uid = study.study_instance_uid
    return {
        "study": uid,
        "series": [
            {
                "uid": series.series_instance_uid,
                "modality": series.modality,
                "description": series.headers.get("series_description", ""),
                "metadata": reverse("dicomweb:series-metadata", args=[uid, series.series_instance_uid]),
            }
            for series in study.series.all()
        ],
        "overlays": [_overlay(item) for row in analyses for item in row.findings if _drawn(item)],
    }


def _drawn(item: ReadFinding) -> bool:
    return item.explanation is not None and item.explanation.drawn


def _overlay(item: ReadFinding) -> dict[str, Any]:
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

"""Filters of the worklist."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.imaging.models import Study
from apps.inference.models import Analysis, Finding, Review
from apps.inference.queries import label_titles
from apps.jobs.models import State
from apps.patients.access import permitted_filter
from apps.patients.models import Purpose
from apps.terminology.localisation import in_language

STATUSES = [
    ("waiting", _("Analysis in progress")),
    ("found", _("Findings above threshold")),
    ("clear", _("No findings above threshold")),
    ("refused", _("Not assessed")),
    ("failed", _("Failed")),
    ("reviewed", _("Reviewed")),
]
MODALITIES = ("CR", "CT", "DX", "MG", "MR", "NM", "OT", "PT", "SC", "SM", "US", "XA", "XC")


def _findings() -> list[tuple[str, str]]:
    return [(code, in_language(title)) for code, title in label_titles().items()]


class WorklistFilter(django_filters.FilterSet):
    """Filters of the worklist, submitted by POST to keep names out of URLs and logs."""

    search = django_filters.CharFilter(label=_("MRN or name"), method="unchanged", max_length=200)
    modality = django_filters.ChoiceFilter(
        label=_("Modality"), choices=[(code, code) for code in MODALITIES], method="by_modality", empty_label=_("All")
    )
    since = django_filters.DateFilter(
        label=_("Study date from"),
        field_name="study_date",
        lookup_expr="gte",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = django_filters.DateFilter(
        label=_("to"),
        field_name="study_date",
        lookup_expr="lte",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    status = django_filters.ChoiceFilter(label=_("Status"), choices=STATUSES, method="by_status", empty_label=_("All"))
    finding = django_filters.ChoiceFilter(
        label=_("Finding"), choices=_findings, method="by_finding", empty_label=_("All")
    )

    class Meta:
        model = Study
        fields: list[str] = []

    def unchanged(self, rows: QuerySet[Study], name: str, value: str) -> QuerySet[Study]:
        """Leave the rows unchanged: the view's base query already applies the search."""
        return rows

    def by_modality(self, rows: QuerySet[Study], name: str, value: str) -> QuerySet[Study]:
        """Select studies with a series of this modality."""
        return rows.filter(modalities__contains=f",{value},")

    def by_finding(self, rows: QuerySet[Study], name: str, value: str) -> QuerySet[Study]:
        """Select studies in which this label was above its threshold."""
        positive = Finding.objects.filter(analysis__series__study=OuterRef("pk"), label=value, positive=True)
        return rows.filter(Exists(positive), permitted_filter(Purpose.AI, "patient__"))

    def by_status(self, rows: QuerySet[Study], name: str, value: str) -> QuerySet[Study]:
        """Select studies by the state of their analyses."""
        analyses = Analysis.objects.filter(series__study=OuterRef("pk"))
        abnormal = Finding.objects.filter(analysis__series__study=OuterRef("pk"), positive=True, is_abnormal=True)
        reviews = Review.objects.filter(finding__analysis__series__study=OuterRef("pk"))
        done = Exists(analyses.filter(state=State.SUCCEEDED))
        conditions: dict[str, Any] = {
            "waiting": Exists(analyses.filter(state__in=[State.QUEUED, State.RUNNING])),
            "found": Exists(abnormal),
            "clear": done & ~Exists(abnormal),
            "refused": ~done & Exists(analyses.filter(state=State.REFUSED)),
            "failed": Exists(analyses.filter(state=State.FAILED)),
            "reviewed": Exists(reviews),
        }
        return rows.filter(conditions[value], permitted_filter(Purpose.AI, "patient__"))

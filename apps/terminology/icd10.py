"""Searching ICD-10-CM."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.terminology.models import TerminologyCode

ICD10 = "icd10cm"


def codes_like(text: str, *, limit: int = 20) -> QuerySet[TerminologyCode]:
    """ICD-10-CM codes that begin so, or whose title holds every word."""
    rows = TerminologyCode.objects.filter(system=ICD10)
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
    return TerminologyCode.objects.filter(system=ICD10, code=code).values_list("title", flat=True).first() or ""

"""Search of ICD-10-CM codes."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.terminology.models import TerminologyCode

ICD10 = "icd10cm"


def search_codes(text: str, *, limit: int = 20) -> QuerySet[TerminologyCode]:
    """Find ICD-10-CM codes that start with the text, or whose title contains every word."""
    rows = TerminologyCode.objects.filter(system=ICD10)
    query = text.strip().casefold()
    if not query:
        return rows.none()
    if query[0].isalpha() and len(query) > 1 and query[1].isdigit():
        return rows.filter(code__istartswith=query).order_by("code")[:limit]
    for word in query.split():
        rows = rows.filter(folded__contains=word)
    return rows.order_by("code")[:limit]


def title_of(code: str) -> str:
    """Return the title of an ICD-10-CM code; empty for an unknown one."""
    return TerminologyCode.objects.filter(system=ICD10, code=code).values_list("title", flat=True).first() or ""

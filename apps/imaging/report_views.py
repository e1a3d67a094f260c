"""The page that shows a structured report of a study as text."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.imaging.access import visible_study_filter
from apps.imaging.dicom.content_tree import Item, read_document
from apps.imaging.models import Instance
from apps.imaging.queries import header_of
from apps.imaging.sop_classes import is_report, kind_of
from apps.imaging.study_objects import StudyObject
from apps.patients.names import display
from apps.protection.keys import CannotOpen

_FLAGS = {
    "PARTIAL": gettext_lazy("Incomplete"),
    "COMPLETE": gettext_lazy("Complete"),
    "UNVERIFIED": gettext_lazy("Not verified"),
    "VERIFIED": gettext_lazy("Verified"),
}


@role_required(*CLINICIANS)
@require_GET
def report_page(request: HttpRequest, study_uid: str, sop_uid: str) -> HttpResponse:
    """Show a report's content tree."""
    user = signed_in(request)
    rows = Instance.objects.filter(visible_study_filter(user, "series__study__patient_id"))
    instance = get_object_or_404(
        rows.select_related("series__study__patient"),
        series__study__study_instance_uid=study_uid,
        sop_instance_uid=sop_uid,
    )
    if not is_report(instance.sop_class_uid):
        raise Http404
    audit.record(user, "study.read", instance, why="treatment", part="report")
    try:
        document = read_document(header_of(instance))
    except (FileNotFoundError, CannotOpen):
        document = None
    context = {
        "study": instance.series.study,
        "instance": instance,
        "object": StudyObject(instance, ""),
        "document": document,
        "lines": [_line(item) for item in document.items if _says_something(item)] if document else [],
        "flags": [str(_FLAGS.get(flag, flag)) for flag in document.flags if flag] if document else [],
        "verified_by": [display(name) for name in document.verified_by] if document else [],
    }
    return render(request, "imaging/report.html", context)


def _line(item: Item) -> dict[str, object]:
    """Return what the page shows of an item."""
    value = _FORMATS.get(item.value_type, str)(item.value)
    if item.reference:
        kind = kind_of(item.reference[0])
        frames = item.value.replace("\\", ", ")
        value = _("%(kind)s, frames %(frames)s") % {"kind": kind, "frames": frames} if frames else kind
    return {"item": item, "level": min(item.depth, 8), "value": value, "heading": item.value_type == "CONTAINER"}


def _says_something(item: Item) -> bool:
    """Return whether there is anything to show: an item may only refer to another place in the tree."""
    return bool(item.concept or item.value or item.code or item.reference or item.value_type == "CONTAINER")


def _date(text: str) -> str:
    """Format a DA value (PS3.5 section 6.2); another text is returned unchanged."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


def _time(text: str) -> str:
    """Format a TM value; another text is returned unchanged."""
    return ":".join(filter(None, [text[:2], text[2:4], text[4:]])) if text[:4].isdecimal() else text


def _date_time(text: str) -> str:
    """Format a DT value; another text is returned unchanged."""
    return f"{_date(text[:8])} {_time(text[8:])}".strip() if text[:8].isdecimal() and len(text) >= 8 else text


_FORMATS = {"PNAME": display, "DATE": _date, "TIME": _time, "DATETIME": _date_time}

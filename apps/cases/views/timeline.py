"""Timeline of a case."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.accounts.access import role_required
from apps.accounts.models import CLINICIANS
from apps.cases import timeline as line
from apps.cases.labels import event_words
from apps.records.case_pages import get_case, render_case_page
from apps.records.models import Event, EventKind
from apps.terminology.localisation import in_language
from apps.terminology.loinc import catalogue
from apps.terminology.units import SHOWN

PAGES = {"note": "notes:note", "report": "reports:report"}
TABS = {
    "value": "records:values",
    "prediction": "predictions:risk",
    "alarm": "cases:overview",
    "task": "cases:team",
    "comment": "cases:team",
    "referral": "cases:team",
    "hand_over": "cases:team",
    "document": "cases:team",
    "discordance": "cases:overview",
}


@role_required(*CLINICIANS)
@require_GET
def timeline(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the histogram and the events; kinds and period come from the query string."""
    case = get_case(request, pk)
    kinds = [kind for kind in request.GET.getlist("kind") if kind in EventKind.values]
    since, until = (_moment(request.GET.get(name, "")) for name in ("since", "until"))
    page = line.page(case, kinds=kinds, after=request.GET.get("after", ""), since=since, until=until)
    query = request.GET.copy()
    query.pop("after", None)
    context: dict[str, Any] = {
        "events": [(event, _words(event), _link(event)) for event in page.events],
        "older": page.older,
        "query": query.urlencode(),
        "kinds": [(kind.value, kind.label, kind.value in kinds) for kind in EventKind],
        "since": since,
        "until": until,
    }
    if request.headers.get("HX-Request"):
        return render_case_page(request, case, "timeline", context, template="cases/_events.html")
    bins = line.bins(case)
    context["bins"] = {
        "kinds": [[kind.value, str(kind.label)] for kind in EventKind],
        "bins": [[row.start.isoformat(), row.counts] for row in bins],
    }
    context["counts"] = [
        (kind.label, sum(row.counts.get(kind.value, 0) for row in bins))
        for kind in EventKind
        if any(kind.value in row.counts for row in bins)
    ]
    return render_case_page(request, case, "timeline", context)


def _words(event: Event) -> str:
    words = dict(event.words)
    if words.get("code_of") in catalogue():
        words["unit"] = SHOWN.get(words["unit"], words["unit"])
        words["what"] = in_language(catalogue()[words["code_of"]].title)
    return event_words(words)


def _link(event: Event) -> str:
    name, _colon, pk = event.subject.partition(":")
    if name == "note":
        return reverse(PAGES[name], args=[event.case_id, pk])
    return reverse(TABS[name], args=[event.case_id]) if name in TABS else ""


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else timezone.make_aware(at)

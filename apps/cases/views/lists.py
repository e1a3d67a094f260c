"""List of cases, and opening a case."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.accounts.untrusted_input import whole_number
from apps.cases import handlers, services
from apps.cases.forms import ListForm, OpenForm
from apps.cases.queries import PAGE, list_cases
from apps.imaging.access import visible_to as visible_studies
from apps.notes.search import snippet
from apps.patients.access import visible_to as visible_patients
from apps.records.case_pages import show_user_errors


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def case_list(request: HttpRequest) -> HttpResponse:
    """List cases by priority; a search text also finds notes."""
    actor = signed_in(request)
    form = ListForm(request.POST if request.method == "POST" else {"status": "open"})
    filters: dict[str, Any] = form.cleaned_data if form.is_valid() else {"text": "", "status": "open", "whose": ""}
    after = whole_number(request.POST.get("after"))
    page = list_cases(
        actor, text=filters["text"], status=filters["status"], mine=filters["whose"] == "mine", after=after
    )
    audit.record(actor, "cases.searched" if filters["text"] else "cases.listed", why="treatment", rows=len(page.cases))
    context = {
        "form": form,
        "page": page,
        "notes": [(note, snippet(note.text, filters["text"])) for note in page.notes],
        "searched": bool(filters["text"].strip()),
        "older": after + PAGE if page.more else 0,
    }
    template = "cases/_list.html" if request.headers.get("HX-Request") else "cases/list.html"
    return render(request, template, context)


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@show_user_errors
def new(request: HttpRequest) -> HttpResponse:
    """Open a case for a study (``?study=``) or a patient (``?patient=``)."""
    actor = signed_in(request)
    study = None
    if "study" in request.GET:
        rows = visible_studies(actor).select_related("patient")
        study = get_object_or_404(rows, study_instance_uid=request.GET["study"])
    patient = (
        study.patient if study else get_object_or_404(visible_patients(actor), pk=_uuid(request.GET.get("patient", "")))
    )
    started = study.received_at if study else timezone.now()
    form = OpenForm(request.POST or None, initial={"started_at": started, "title": _title(study), "priority": 0})
    if request.method == "POST" and form.is_valid():
        case = services.open_case(patient, study=study, actor=actor, **form.cleaned_data)
        handlers.catch_up(case)
        return redirect("cases:overview", case.pk)
    context = {"form": form, "patient": patient, "study": study}
    return render(request, "cases/new.html", context, status=422 if request.method == "POST" else 200)


def _title(study: Any) -> str:
    return str(study.headers.get("study_description") or _("Chest disease")) if study else ""


def _uuid(text: str) -> str:
    import uuid

    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.UUID(int=0))

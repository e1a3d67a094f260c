"""Views of problems, allergies and medication."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.records import problem_list
from apps.records.case_pages import add_form_errors, get_case, redirect_back, show_user_errors
from apps.records.forms import StatementForm
from apps.records.models import Statement, StatementKind, StatementStatus
from apps.terminology import icd10


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def add_statement(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a problem, an allergy or a medication."""
    case = get_case(request, pk)
    form = StatementForm(request.POST)
    if not form.is_valid():
        add_form_errors(request, form)
        return redirect_back(request, pk)
    data = form.cleaned_data
    code, text = _coded(data["kind"], data["text"])
    name = "reaction" if data["kind"] == StatementKind.ALLERGY else "dose"
    problem_list.add_statement(
        case,
        StatementKind(data["kind"]),
        text=text,
        code=code,
        since=data["since"],
        actor=signed_in(request),
        **{name: data["dose"]},
    )
    messages.success(request, _("Saved."))
    return redirect_back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def set_statement(request: HttpRequest, pk: uuid.UUID, statement_id: uuid.UUID) -> HttpResponse:
    """Set a statement to resolved, active or entered in error."""
    statement = get_object_or_404(
        Statement.objects.select_related("case__patient"), pk=statement_id, case=get_case(request, pk)
    )
    if request.POST.get("to") in StatementStatus.values:
        problem_list.set_status(statement, StatementStatus(request.POST["to"]), actor=signed_in(request))
    return redirect_back(request, pk)


@role_required(*CLINICIANS)
@require_GET
def codes(request: HttpRequest) -> JsonResponse:
    """Return matching ICD-10-CM codes for autocompletion."""
    matches = icd10.search_codes(request.GET.get("q", "")[:80])
    return JsonResponse({"codes": [[row.code, row.title] for row in matches]})


def _coded(kind: str, text: str) -> tuple[str, str]:
    """Split ``J18.9 Pneumonia, unspecified organism`` into code and title; other text has no code."""
    first, _space, _rest = text.strip().partition(" ")
    title = icd10.title_of(first.upper()) if kind == StatementKind.PROBLEM else ""
    return (first.upper(), title) if title else ("", text)

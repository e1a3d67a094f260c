"""Views of problems, allergies and medication."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.jobs.errors import UserError
from apps.records import problem_list, statement_entry
from apps.records.case_pages import (
    get_case,
    hide_forbidden,
    keep_typed_words,
    redirect_back,
    redirect_page,
    render_case_page,
    show_user_errors,
)
from apps.records.dosage_words import shown_entry
from apps.records.forms import OverrideForm, StatementForm
from apps.records.models import Case, Statement, StatementKind, StatementStatus
from apps.records.statement_entry import OrderQuestion, enter_statement, entry_of
from apps.terminology import icd10

ERROR_FIELDS = {
    "code_unknown": "code",
    "code_contradicts": "code",
    "dose_unit": "dose",
    "dose_ambiguous": "dose",
    "statement_status": "status",
}
"""Where a refusal is shown; others above the form."""
HEADINGS: dict[str, Any] = {
    "": gettext_lazy("Add a problem, an allergy or a medication"),
    StatementKind.PROBLEM: gettext_lazy("Add a problem"),
    StatementKind.ALLERGY: gettext_lazy("Add an allergy"),
    StatementKind.MEDICATION: gettext_lazy("Add a medication"),
}
CORRECTIONS: dict[str, Any] = {
    StatementKind.PROBLEM: gettext_lazy("Correct a problem"),
    StatementKind.ALLERGY: gettext_lazy("Correct an allergy"),
    StatementKind.MEDICATION: gettext_lazy("Correct a medication"),
}


@keep_typed_words
@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@hide_forbidden
def add_statement(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a problem, an allergy or a medication; warnings about a drug are shown before it is recorded."""
    case = get_case(request, pk)
    kind = request.GET.get("kind", "")
    kind = kind if kind in StatementKind.values else ""
    form = StatementForm(request.POST or None, for_kind=kind, fixed=bool(kind))
    record = partial(enter_statement, case, actor=signed_in(request))
    return _statement_page(request, case, form, record, {"kind": kind, "heading": HEADINGS[kind]})


@keep_typed_words
@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
@hide_forbidden
def correct_statement(request: HttpRequest, pk: uuid.UUID, statement_id: uuid.UUID) -> HttpResponse:
    """Correct a statement: the present entry becomes one in error, and the corrected one takes its place."""
    case = get_case(request, pk)
    statement = get_object_or_404(Statement.objects.select_related("case__patient"), pk=statement_id, case=case)
    form = StatementForm(
        request.POST or None, initial=shown_entry(entry_of(statement)), for_kind=statement.kind, fixed=True
    )
    record = partial(statement_entry.correct_statement, statement, actor=signed_in(request))
    context = {"kind": statement.kind, "heading": CORRECTIONS[statement.kind], "corrected": statement}
    return _statement_page(request, case, form, record, context)


def _statement_page(
    request: HttpRequest, case: Case, form: StatementForm, record: Callable[..., Any], context: dict[str, Any]
) -> HttpResponse:
    """Show the form of a statement; if it was sent, record it or show why nothing was recorded.

    Args:
        record: takes the form's data, and ``override``: why a drug is recorded despite warnings.
    """
    override = OverrideForm(request.POST if "override" in request.POST else None)
    warnings: list[Any] = []
    status = 200
    if request.method == "POST":
        status = 422
        reason = override.cleaned_data["override"] if override.is_bound and override.is_valid() else ""
        if form.is_valid():
            try:
                record(form.cleaned_data, override=reason)
            except OrderQuestion as question:
                warnings, status = question.warnings, 409
            except UserError as refusal:
                form.add_error(ERROR_FIELDS.get(refusal.code), str(refusal))
            else:
                messages.success(request, _("Saved."))
                return redirect_page(request, redirect_back(request, case.pk))
    page = {"form": form, "override": override, "warnings": warnings, **context}
    return render_case_page(request, case, "overview", page, template="records/statement.html", status=status)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def set_statement(request: HttpRequest, pk: uuid.UUID, statement_id: uuid.UUID) -> HttpResponse:
    """Set a statement to another status; a medication is stopped today, what is resolved ended on a day unknown."""
    statement = get_object_or_404(
        Statement.objects.select_related("case__patient"), pk=statement_id, case=get_case(request, pk)
    )
    if request.POST.get("to") in StatementStatus.values:
        status = StatementStatus(request.POST["to"])
        ended = timezone.localdate() if status == StatementStatus.STOPPED else None
        problem_list.set_status(statement, status, ended=ended, actor=signed_in(request))
    return redirect_back(request, pk)


@role_required(*CLINICIANS)
@require_GET
def codes(request: HttpRequest) -> JsonResponse:
    """Return matching ICD-10-CM codes for autocompletion."""
    matches = icd10.search_codes(request.GET.get("q", "")[:80])
    return JsonResponse({"codes": [[row.code, row.title] for row in matches]})


@role_required(*CLINICIANS)
@require_GET
def form_token(request: HttpRequest) -> HttpResponse:
    """Return a new token for a form that stayed open while its user signed in again."""
    return render(request, "records/_form_token.html")

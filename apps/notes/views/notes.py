"""Pages of notes: list, edit, revisions, review of extracted concepts."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.accounts.untrusted_input import whole_number
from apps.explainability.queries import text_answer
from apps.jobs.errors import UserError
from apps.jobs.models import State
from apps.notes import editing as writing
from apps.notes import note_extraction
from apps.notes.forms import NoteForm
from apps.notes.models import Note, NoteKind, SpecialtyExplanation
from apps.notes.views.extraction import extraction_context
from apps.records import text_diff
from apps.records.access import models_permitted
from apps.records.case_pages import get_case, render_case_page, show_user_errors
from apps.records.conflicts import EditConflict

PAGE = 20


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def note_list(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """List the case's notes; create one by POST."""
    case, user = get_case(request, pk), signed_in(request)
    draft = writing.draft_of(case, None, user)
    form = NoteForm(request.POST or None, initial={"text": draft.text if draft else "", "kind": NoteKind.PROGRESS})
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            note = writing.write(
                case, form.cleaned_data["text"], kind=form.cleaned_data["kind"] or NoteKind.PROGRESS, actor=user
            )
        except UserError as refusal:
            form.add_error("text", str(refusal))
            status = 422
        else:
            return redirect("notes:note", pk, note.pk)
    first = whole_number(request.GET.get("after"))
    rows = list(Note.objects.filter(case=case).select_related("case", "author")[first : first + PAGE + 1])
    context = {"notes": rows[:PAGE], "older": first + PAGE if len(rows) > PAGE else 0, "form": form, "draft": draft}
    return render_case_page(request, case, "notes", context, status=status)


@role_required(*CLINICIANS)
@require_http_methods(["GET", "POST"])
def note_page(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID) -> HttpResponse:
    """Show a note with its extracted concepts; edit it by POST."""
    case, user = get_case(request, pk), signed_in(request)
    note = _note(case, note_id)
    form = NoteForm(request.POST or None, initial={"text": note.text, "revision": note.revision, "kind": note.kind})
    context: dict[str, Any] = {"note": note, "form": form}
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            writing.rewrite(note, form.cleaned_data["text"], revision=form.cleaned_data["revision"] or 0, actor=user)
            return redirect("notes:note", pk, note_id)
        except EditConflict as conflict:
            note = conflict.now
            context |= {
                "note": note,
                "conflict": conflict,
                "pieces": text_diff.difference(note.text, form.cleaned_data["text"]),
            }
            again = request.POST.copy()
            again["revision"] = str(note.revision)
            form.data = again
            status = 409
        except UserError as refusal:
            form.add_error("text", str(refusal))
            status = 422
    context |= extraction_context(note) | {
        "draft": writing.draft_of(case, note, user),
        "revisions": note.revisions.select_related("author", "note__case")[:20],
    }
    return render_case_page(request, case, "notes", context, template="notes/note.html", status=status)


@role_required(*CLINICIANS)
@require_GET
def understood(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID) -> HttpResponse:
    """Fragment with the extracted concepts, polled while the extraction runs."""
    case = get_case(request, pk)
    note = _note(case, note_id)
    return render_case_page(
        request, case, "notes", {"note": note, **extraction_context(note)}, template="notes/_understood.html"
    )


@role_required(*CLINICIANS)
@require_POST
def draft(request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
    """Autosave a draft; sent by the browser while the user types."""
    case = get_case(request, pk)
    note_id = request.POST.get("note", "")
    try:
        note = _note(case, uuid.UUID(note_id)) if note_id else None
    except ValueError:
        return JsonResponse({"saved": False}, status=400)
    saved_draft = writing.save_draft(
        case,
        request.POST.get("text", ""),
        note=note,
        revision=whole_number(request.POST.get("revision")),
        actor=signed_in(request),
    )
    return JsonResponse({"saved": True, "at": saved_draft.saved_at.isoformat()})


@role_required(*CLINICIANS)
@require_GET
def revision(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID, number: int) -> HttpResponse:
    """Show an earlier revision and its differences from the one before."""
    case = get_case(request, pk)
    note = _note(case, note_id)
    rows = {
        row.number: row
        for row in note.revisions.filter(number__in=[number, number - 1]).select_related("author", "note__case")
    }
    if number not in rows:
        return redirect("notes:note", pk, note_id)
    before = rows[number - 1].text if number - 1 in rows else ""
    context = {"note": note, "revision": rows[number], "pieces": text_diff.difference(before, rows[number].text)}
    return render_case_page(request, case, "notes", context, template="notes/revision.html")


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def read_again(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID) -> HttpResponse:
    """Retry a failed extraction."""
    note = _note(get_case(request, pk), note_id)
    extraction = note_extraction.newest(note)
    if extraction is not None:
        note_extraction.retry(extraction, actor=signed_in(request))
    return redirect("notes:note", pk, note_id)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def explain(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID) -> HttpResponse:
    """Request an explanation of the note's specialty."""
    note = _note(get_case(request, pk), note_id)
    extraction = note_extraction.newest(note)
    explanation = (
        note_extraction.request_specialty_explanation(extraction, actor=signed_in(request))
        if extraction is not None
        else None
    )
    return redirect("notes:why", pk, explanation.pk) if explanation else redirect("notes:note", pk, note_id)


@role_required(*CLINICIANS)
@require_GET
def why(request: HttpRequest, pk: uuid.UUID, why_id: uuid.UUID) -> HttpResponse:
    """Show the word attributions of a note's specialty; polled while they are computed."""
    case = get_case(request, pk)
    rows = SpecialtyExplanation.objects.filter(reading__note__case=case).select_related(
        "reading__note__case", "package"
    )
    explanation = get_object_or_404(rows, pk=why_id)
    context: dict[str, Any] = {"asked": explanation, "note": explanation.reading.note}
    if explanation.state == State.SUCCEEDED and models_permitted(case.patient):
        context |= text_answer(explanation.package, explanation.answer, request.GET.get("by", ""))
    template = "notes/_why.html" if request.headers.get("HX-Request") else "notes/why.html"
    return render_case_page(request, case, "notes", context, template=template)


def _note(case: Any, note_id: uuid.UUID) -> Note:
    return get_object_or_404(Note.objects.select_related("case__patient", "author"), pk=note_id, case=case)

"""Pages of notes: list, edit, revisions, review of extracted concepts."""

from __future__ import annotations

import itertools
import uuid
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
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
from apps.notes.labels import ASSERTIONS, KINDS, SECTIONS
from apps.notes.models import Concept, ConceptVerdict, Note, NoteExtraction, NoteKind, SpecialtyExplanation
from apps.notes.queries import concepts_by_kind
from apps.records import text_diff
from apps.records.access import models_permitted
from apps.records.case_pages import get_case, render_case_page, show_user_errors
from apps.records.conflicts import EditConflict
from apps.records.models import StatementKind
from apps.terminology.localisation import in_language
from apps.terminology.units import SHOWN

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
    context |= _extraction_context(note) | {
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
        request, case, "notes", {"note": note, **_extraction_context(note)}, template="notes/_understood.html"
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
def decide(request: HttpRequest, pk: uuid.UUID, concept_id: uuid.UUID) -> HttpResponse:
    """Confirm or reject an extracted concept."""
    case = get_case(request, pk)
    concept = get_object_or_404(
        Concept.objects.select_related("reading__note__case__patient"), pk=concept_id, reading__note__case=case
    )
    note = concept.reading.note
    try:
        verb = note_extraction.reject if request.POST.get("verdict") == "rejected" else note_extraction.confirm
        verb(concept, actor=signed_in(request))
    except UserError as refusal:
        if not request.headers.get("HX-Request"):
            raise
        messages.error(request, str(refusal))
    if request.headers.get("HX-Request"):
        return render_case_page(
            request, case, "notes", {"note": note, **_extraction_context(note)}, template="notes/_understood.html"
        )
    return redirect("notes:note", pk, note.pk)


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


@dataclass(frozen=True)
class Stretch:
    """A span of a note's text: plain, or an extracted concept."""

    text: str
    concept: Concept | None = None
    start: int = 0

    @property
    def css(self) -> str:
        """CSS classes of the highlight."""
        if self.concept is None:
            return ""
        doubtful = " said-negated" if self.concept.negated else " said-uncertain" if self.concept.uncertain else ""
        return f"said said-{self.concept.kind}{doubtful}"

    @property
    def words(self) -> str:
        """Description of the concept."""
        return _description(self.concept) if self.concept is not None else ""


def _extraction_context(note: Note) -> dict[str, Any]:
    extraction: NoteExtraction | None = note_extraction.newest(note) if models_permitted(note.case.patient) else None
    if extraction is None or extraction.state != State.SUCCEEDED:
        return {"reading": extraction, "stretches": [Stretch(note.text)], "groups": []}
    concepts = list(extraction.concepts.select_related("reading__note__case", "decided_by"))
    highlighted = [
        concept for concept in concepts if concept.verdict != ConceptVerdict.REJECTED and concept.kind != "anatomy"
    ]
    groups = concepts_by_kind(concepts)
    listed = [
        (
            title,
            [
                {"row": concept, "title": _title(concept, note.text), "said": _description(concept)}
                for concept in groups[kind]
            ],
        )
        for kind, title in KINDS.items()
        if kind in groups and kind != "anatomy"
    ]
    specialty = extraction.found.get("specialty") or {}
    return {
        "reading": extraction,
        "stretches": _stretches(note.text, highlighted, [start for start, _end in extraction.found["sentences"]]),
        "groups": listed,
        "more": extraction.found.get("more", 0),
        "specialty": {**specialty, "title": in_language(specialty["title"]), "percent": 100 * specialty["probability"]}
        if specialty
        else None,
    }


def _stretches(text: str, concepts: list[Concept], sentences: list[int]) -> list[Stretch]:
    """Split the text into spans; plain spans also end at sentence starts, so that citations can link to them."""
    pieces: list[Stretch] = []
    at = 0

    def plain(end: int) -> None:
        cuts = [at, *sentences[bisect_right(sentences, at) : bisect_left(sentences, end)], end]
        pieces.extend(Stretch(text[a:b], start=a) for a, b in itertools.pairwise(cuts) if b > a)

    for concept in sorted(concepts, key=lambda row: (row.start, -row.end)):
        if concept.start < at:
            continue
        plain(concept.start)
        pieces.append(Stretch(text[concept.start : concept.end], concept, concept.start))
        at = concept.end
    plain(len(text))
    return pieces


def _title(concept: Concept, text: str) -> str:
    """What confirming stores: the note's own wording; for measurements the name of the observation."""
    if concept.kind == "measurement":
        return in_language(concept.details["title"])
    return " ".join(text[concept.start : concept.end].split())


def _description(concept: Concept) -> str:
    """Describe a concept, for example "denied or absent · Family history · J18.9"."""
    details = concept.details
    parts = [str(StatementKind.ALLERGY.label)] if details.get("allergy") else []
    parts += [str(ASSERTIONS[name]) for name in concept.assertions]
    if details.get("stopped"):
        parts.append(_("discontinued or on hold"))
    parts += [details[name] for name in ("dose", "route", "schedule") if details.get(name)]
    if concept.kind == "measurement":
        parts.append(
            f"{' × '.join(f'{value:g}' for value in details['values'])} {SHOWN.get(details['unit'], details['unit'])}"
        )
    if details.get("section"):
        parts.append(str(SECTIONS.get(details["section"], details["section"])))
    if details.get("icd10") and (code := note_extraction.code_of(concept)):
        parts.append(code)
    return " · ".join(parts)


def _note(case: Any, note_id: uuid.UUID) -> Note:
    return get_object_or_404(Note.objects.select_related("case__patient", "author"), pk=note_id, case=case)

"""Review of what was extracted from a note: lines may be changed and are confirmed one by one or together."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, User
from apps.jobs.errors import UserError
from apps.notes import note_extraction
from apps.notes.forms import NoteForm
from apps.notes.models import Concept, ConceptVerdict, Note
from apps.notes.views.extraction import extraction_context, item_of, mentions_of
from apps.notes.views.review_items import Item, add_problem, entries_of
from apps.records.case_pages import get_case, hide_forbidden, keep_typed_words, render_case_page


@keep_typed_words
@role_required(*CLINICIANS)
@require_POST
@hide_forbidden
def review(request: HttpRequest, pk: uuid.UUID, note_id: uuid.UUID) -> HttpResponse:
    """Confirm or reject mentions: ``confirm`` and ``reject`` name one, or ``selected`` for the ticked ones."""
    case = get_case(request, pk)
    note = get_object_or_404(Note.objects.select_related("case__patient", "author"), pk=note_id, case=case)
    extraction = note_extraction.newest(note)
    if extraction is None:
        raise Http404
    posted = request.POST
    confirming, wanted = _wanted(posted)
    items: dict[Any, Item] = {}
    done = 0
    for concept in mentions_of(extraction):
        acted = str(concept.pk) in wanted and concept.verdict == ConceptVerdict.PENDING
        item = item_of(concept, note.text, posted=posted, acted=acted and confirming)
        items[concept.pk] = item
        if acted and _decide(concept, item, posted, confirming, signed_in(request)):
            done += 1
            del items[concept.pk]
    failed = any(item.is_open for item in items.values())
    swapped = bool(request.headers.get("HX-Request"))
    if done and not swapped:
        messages.success(request, _("Reviewed: %(n)s.") % {"n": done})
    if not swapped and not failed:
        return redirect("notes:note", pk, note_id)
    context = {"note": note, **extraction_context(note, items), "failed": failed, "done": done, "swap": swapped}
    template = "notes/_understood.html"
    if not swapped:
        template = "notes/note.html"
        context |= {
            "form": NoteForm(initial={"text": note.text, "revision": note.revision, "kind": note.kind}),
            "revisions": note.revisions.select_related("author", "note__case")[:20],
        }
    return render_case_page(request, case, "notes", context, template=template, status=422 if failed else 200)


def _wanted(posted: QueryDict) -> tuple[bool, set[str]]:
    """Return whether to confirm (or else reject), and the ids of the mentions."""
    for name in ("confirm", "reject"):
        if value := posted.get(name):
            return name == "confirm", set(posted.getlist("select")) if value == "selected" else {value}
    return True, set()


def _decide(concept: Concept, item: Item, posted: QueryDict, confirming: bool, actor: User) -> bool:
    """Confirm or reject a mention; on an error the reason is shown on it and what was typed stays."""
    if not confirming:
        return note_extraction.reject(concept, actor=actor)
    entries = entries_of(item, posted)
    if entries is None:
        return False
    override = posted.get(f"{concept.pk}-override", "")
    try:
        return note_extraction.confirm(concept, actor=actor, entries=entries, override=override)
    except UserError as problem:
        add_problem(item, problem)
        return False

"""Collaboration on a case."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS, PHYSICIANS
from apps.cases import collaboration
from apps.cases.forms import AnswerForm, CommentForm, HandOverForm, ReferralForm, TaskForm
from apps.cases.models import Document, HandOver, Referral, Task
from apps.cases.queries import tasks
from apps.jobs.errors import UserError
from apps.notes.queries import summary_context
from apps.protection import blobs
from apps.records.access import colleagues
from apps.records.case_pages import add_form_errors, get_case, redirect_back, render_case_page, show_user_errors
from apps.records.forms import FileForm


@role_required(*CLINICIANS)
@require_GET
def team(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show tasks, comments, documents, referrals and handovers."""
    case, user = get_case(request, pk), signed_in(request)
    drafted = summary_context(case)["summary"]
    text = " ".join(sentence["text"] for sentence in drafted.content["sentences"]) if drafted else ""
    context = {
        "tasks": tasks(case),
        "task_form": TaskForm(case=case),
        "comments": case.comments.select_related("author", "case"),
        "comment_form": CommentForm(),
        "colleagues": colleagues(case),
        "documents": case.documents.select_related("added_by", "case"),
        "file_form": FileForm(),
        "referrals": [
            (row, row.team.members.filter(pk=user.pk).exists())
            for row in case.referrals.select_related("team", "asked_by", "answered_by", "case")
        ],
        "referral_form": ReferralForm(case=case),
        "answer_form": AnswerForm(),
        "hand_overs": case.hand_overs.select_related("giver", "receiver", "case")[:10],
        "hand_over_form": HandOverForm(case=case, giver=user, initial={"summary": text}),
    }
    return render_case_page(request, case, "team", context)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def add_task(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Create a task."""
    case = get_case(request, pk)
    form = TaskForm(request.POST, case=case)
    if form.is_valid():
        collaboration.add_task(case, **form.cleaned_data, actor=signed_in(request))
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def finish_task(request: HttpRequest, pk: uuid.UUID, task_id: uuid.UUID) -> HttpResponse:
    """Mark a task as done."""
    task = get_object_or_404(Task.objects.select_related("case__patient"), pk=task_id, case=get_case(request, pk))
    collaboration.finish_task(task, actor=signed_in(request))
    return redirect_back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def comment(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Post a comment."""
    case = get_case(request, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        collaboration.comment(case, form.cleaned_data["text"], actor=signed_in(request))
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def add_document(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a document."""
    case = get_case(request, pk)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > collaboration.DOCUMENT_BYTES:
            raise UserError("document_too_large", most=collaboration.DOCUMENT_BYTES // 2**20)
        collaboration.add_document(case, file.name or "", file.read(), actor=signed_in(request))
        messages.success(request, _("Saved."))
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_GET
def document(request: HttpRequest, pk: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
    """Download a document; always as an attachment, so that no active content runs on our origin."""
    row = get_object_or_404(
        Document.objects.select_related("case__patient"), pk=document_id, case=get_case(request, pk)
    )
    audit.record(signed_in(request), "case.read", row.case, why="treatment", part="document")
    name = f"document-{row.pk.hex[:8]}.{row.media_type.rpartition('/')[2].replace('plain', 'txt')}"
    return HttpResponse(
        blobs.read(row.blob, holder=row.key_holder),
        content_type=row.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def refer(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Request a second opinion from another team."""
    case = get_case(request, pk)
    form = ReferralForm(request.POST, case=case)
    if form.is_valid():
        collaboration.refer(case, form.cleaned_data["team"], form.cleaned_data["question"], actor=signed_in(request))
        messages.success(
            request, _("The request has been sent. The team can see the record until you end the referral.")
        )
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def answer(request: HttpRequest, pk: uuid.UUID, referral_id: uuid.UUID) -> HttpResponse:
    """Answer a request for a second opinion."""
    row = get_object_or_404(
        Referral.objects.select_related("case__patient", "team"), pk=referral_id, case=get_case(request, pk)
    )
    form = AnswerForm(request.POST)
    if form.is_valid():
        collaboration.answer(row, form.cleaned_data["text"], actor=signed_in(request))
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*PHYSICIANS)
@require_POST
@show_user_errors
def end_referral(request: HttpRequest, pk: uuid.UUID, referral_id: uuid.UUID) -> HttpResponse:
    """End a referral; the team loses the access it opened."""
    row = get_object_or_404(
        Referral.objects.select_related("case__patient", "team"), pk=referral_id, case=get_case(request, pk)
    )
    collaboration.end_referral(row, actor=signed_in(request))
    return redirect("cases:list") if not case_still_seen(request, pk) else redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def hand_over(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand the case over."""
    case, user = get_case(request, pk), signed_in(request)
    form = HandOverForm(request.POST, case=case, giver=user)
    if form.is_valid():
        collaboration.hand_over(case, form.cleaned_data.pop("receiver"), **form.cleaned_data, actor=user)
        messages.success(request, _("Handed over. You remain responsible until it is accepted."))
    else:
        add_form_errors(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def accept(request: HttpRequest, pk: uuid.UUID, hand_over_id: uuid.UUID) -> HttpResponse:
    """Accept a handover."""
    row = get_object_or_404(
        HandOver.objects.select_related("case__patient"), pk=hand_over_id, case=get_case(request, pk)
    )
    collaboration.accept(row, actor=signed_in(request))
    return redirect("cases:overview", pk)


def case_still_seen(request: HttpRequest, pk: uuid.UUID) -> bool:
    """Whether the user still sees the case: ending a referral to one's own team may close it."""
    from apps.records.access import visible_to

    return visible_to(signed_in(request)).filter(pk=pk).exists()

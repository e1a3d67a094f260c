"""What people do about a case together."""

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
from apps.cases import teamwork
from apps.cases.access import colleagues
from apps.cases.forms import AnswerForm, CommentForm, FileForm, HandOverForm, ReferralForm, TaskForm
from apps.cases.models import Document, HandOver, Referral, Task
from apps.cases.queries import tasks
from apps.cases.views.common import acting, back, case_of, problems, shown
from apps.cases.views.overview import summary_context
from apps.jobs.errors import ReadableError
from apps.protection import blobs


@role_required(*CLINICIANS)
@require_GET
def team(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Tasks, comments, documents, second opinions, handing over."""
    case, user = case_of(request, pk), signed_in(request)
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
    return shown(request, case, "team", context)


@role_required(*CLINICIANS)
@require_POST
@acting
def add_task(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Something to be done."""
    case = case_of(request, pk)
    form = TaskForm(request.POST, case=case)
    if form.is_valid():
        teamwork.add_task(case, **form.cleaned_data, actor=signed_in(request))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def finish_task(request: HttpRequest, pk: uuid.UUID, task_id: uuid.UUID) -> HttpResponse:
    """Done."""
    task = get_object_or_404(Task.objects.select_related("case__patient"), pk=task_id, case=case_of(request, pk))
    teamwork.finish_task(task, actor=signed_in(request))
    return back(request, pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def comment(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Say something."""
    case = case_of(request, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        teamwork.comment(case, form.cleaned_data["text"], actor=signed_in(request))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def add_document(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a file."""
    case = case_of(request, pk)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > teamwork.DOCUMENT_BYTES:
            raise ReadableError("document_too_large", most=teamwork.DOCUMENT_BYTES // 2**20)
        teamwork.add_document(case, file.name or "", file.read(), actor=signed_in(request))
        messages.success(request, _("Saved."))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_GET
def document(request: HttpRequest, pk: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
    """The file; always as a download, so that nothing in it runs on our pages."""
    found = get_object_or_404(
        Document.objects.select_related("case__patient"), pk=document_id, case=case_of(request, pk)
    )
    audit.record(signed_in(request), "case.read", found.case, why="treatment", part="document")
    name = f"document-{found.pk.hex[:8]}.{found.media_type.rpartition('/')[2].replace('plain', 'txt')}"
    return HttpResponse(
        blobs.read(found.blob, holder=found.key_holder),
        content_type=found.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@role_required(*PHYSICIANS)
@require_POST
@acting
def refer(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask another team."""
    case = case_of(request, pk)
    form = ReferralForm(request.POST, case=case)
    if form.is_valid():
        teamwork.refer(case, form.cleaned_data["team"], form.cleaned_data["question"], actor=signed_in(request))
        messages.success(request, _("The team was asked. It sees the record until you end the referral."))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def answer(request: HttpRequest, pk: uuid.UUID, referral_id: uuid.UUID) -> HttpResponse:
    """Answer for one's team."""
    row = get_object_or_404(
        Referral.objects.select_related("case__patient", "team"), pk=referral_id, case=case_of(request, pk)
    )
    form = AnswerForm(request.POST)
    if form.is_valid():
        teamwork.answer(row, form.cleaned_data["text"], actor=signed_in(request))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*PHYSICIANS)
@require_POST
@acting
def end_referral(request: HttpRequest, pk: uuid.UUID, referral_id: uuid.UUID) -> HttpResponse:
    """End it; the team no longer sees the record."""
    row = get_object_or_404(
        Referral.objects.select_related("case__patient", "team"), pk=referral_id, case=case_of(request, pk)
    )
    teamwork.end_referral(row, actor=signed_in(request))
    return redirect("cases:list") if not case_still_seen(request, pk) else redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def hand_over(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Pass the case on."""
    case, user = case_of(request, pk), signed_in(request)
    form = HandOverForm(request.POST, case=case, giver=user)
    if form.is_valid():
        teamwork.hand_over(case, form.cleaned_data.pop("receiver"), **form.cleaned_data, actor=user)
        messages.success(request, _("Handed over. It is yours until it is accepted."))
    else:
        problems(request, form)
    return redirect("cases:team", pk)


@role_required(*CLINICIANS)
@require_POST
@acting
def accept(request: HttpRequest, pk: uuid.UUID, hand_over_id: uuid.UUID) -> HttpResponse:
    """Take it over."""
    row = get_object_or_404(
        HandOver.objects.select_related("case__patient"), pk=hand_over_id, case=case_of(request, pk)
    )
    teamwork.accept(row, actor=signed_in(request))
    return redirect("cases:overview", pk)


def case_still_seen(request: HttpRequest, pk: uuid.UUID) -> bool:
    """Whether the user sees the case: whoever ends a referral of the own team may not."""
    from apps.cases.access import visible_to

    return visible_to(signed_in(request)).filter(pk=pk).exists()

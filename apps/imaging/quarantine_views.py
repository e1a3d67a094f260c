"""Pages on quarantined files: the list, one file with the decisions it allows, its picture, and the file itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import audit
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import PHYSICIANS, Role, User
from apps.imaging.access import can, quarantined_visible_to
from apps.imaging.dicom.parser import Unreadable
from apps.imaging.dicomweb.base import streamed
from apps.imaging.forms import RegisterForm, SearchForm
from apps.imaging.models import Decision, QuarantinedFile
from apps.imaging.quarantine import decidable, held_together, open_held
from apps.imaging.quarantine_decision import MAX_TOGETHER, Decided, decide_together, register_patient
from apps.imaging.quarantine_pages import (
    assignable,
    candidates,
    groups_of,
    identities,
    page_of,
    study_day,
)
from apps.imaging.quarantine_review import picture_of
from apps.jobs.errors import UserError, message
from apps.patients.models import Patient
from apps.patients.names import display
from apps.protection.keys import CannotOpen

_DECIDERS = (*PHYSICIANS, Role.ADMIN)


@role_required(*_DECIDERS)
@require_GET
def held_list(request: HttpRequest) -> HttpResponse:
    """List the quarantined files on which this user can decide, those of one study together."""
    groups, whole = groups_of(signed_in(request))
    return render(request, "imaging/held.html", {"groups": groups, "whole": whole})


@role_required(*_DECIDERS)
@require_http_methods(["GET", "POST"])
def held_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a quarantined file, what speaks against filing it, and decide."""
    quarantined = _held(request, pk)
    if quarantined.decision:
        return render(request, "imaging/held_decided.html", {"held": quarantined, "study": _study_url(quarantined)})
    step = _STEPS.get(request.POST.get("decision", ""))
    if request.method == "POST" and step is not None:
        return step(request, quarantined)
    problem = _("Choose what to do with the file.") if request.method == "POST" else ""
    return _show(request, quarantined, problem=problem)


@role_required(*PHYSICIANS)
@require_GET
def held_picture(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Draw a quarantined image for those who may decide on it."""
    quarantined = _with_content(request, pk)
    try:
        content = picture_of(quarantined)
    except (FileNotFoundError, CannotOpen, Unreadable) as error:
        raise Http404 from error
    audit.record(signed_in(request), "file.viewed", quarantined, why="treatment")
    return HttpResponse(content, content_type="image/png")


@role_required(*PHYSICIANS)
@require_GET
def held_download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Download a quarantined file as it was received."""
    quarantined = _with_content(request, pk)
    try:
        file = open_held(quarantined)
    except (FileNotFoundError, CannotOpen) as error:
        raise Http404 from error
    audit.record(signed_in(request), "file.downloaded", quarantined, why="treatment")
    answer = streamed(file.pieces(), "application/dicom")
    answer["Content-Disposition"] = f'attachment; filename="quarantined-{quarantined.pk.hex[:8]}.dcm"'
    return answer


def _held(request: HttpRequest, pk: uuid.UUID) -> QuarantinedFile:
    rows = quarantined_visible_to(signed_in(request)).select_related("patient", "uploaded_by", "decided_by")
    return get_object_or_404(rows, pk=pk)


def _with_content(request: HttpRequest, pk: uuid.UUID) -> QuarantinedFile:
    quarantined = _held(request, pk)
    if quarantined.decision or not can(signed_in(request), "imaging.decide_heldfile", quarantined):
        raise Http404
    return quarantined


def _show(
    request: HttpRequest, quarantined: QuarantinedFile, *, problem: str = "", status: int = 200, **more: Any
) -> HttpResponse:
    user = signed_in(request)
    page = page_of(quarantined, user)
    context = {
        "held": quarantined,
        "page": page,
        "claimed_name": display(quarantined.claimed_name),
        "study_day": study_day(quarantined, page.held),
        "problem": problem,
        "search_form": SearchForm(),
        "register_form": RegisterForm(None, quarantined=quarantined, user=user),
        "together": request.POST.get("together", "1") == "1",
        "limit": MAX_TOGETHER,
        **more,
    }
    return render(request, "imaging/held_file.html", context, status=status)


def _accept(request: HttpRequest, quarantined: QuarantinedFile) -> HttpResponse:
    """File it under the record with which it conflicts."""
    if not page_of(quarantined, signed_in(request)).accept:
        return _show(request, quarantined, problem=_("This file cannot be filed under that record."), status=422)
    return _carry_out(request, quarantined, Decision.SAME)


def _discard(request: HttpRequest, quarantined: QuarantinedFile) -> HttpResponse:
    """Discard it, once that is confirmed."""
    if not can(signed_in(request), "imaging.decide_heldfile", quarantined):
        raise Http404
    if not request.POST.get("sure"):
        together = held_together(quarantined).count() if request.POST.get("together") == "1" else 1
        text = ngettext(
            "The file is deleted here and cannot be restored. Download it first if you may need it.",
            "All %(n)s files are deleted here and cannot be restored. Download them first if you may need them.",
            together,
        )
        context = {
            "title": ngettext("Discard this file", "Discard %(n)s files", together) % {"n": together},
            "text": text % {"n": together},
            "action": reverse("imaging:held-file", args=[quarantined.pk]),
            "back": reverse("imaging:held-file", args=[quarantined.pk]),
            "fields": {"decision": "other", "together": request.POST.get("together", "")},
        }
        return render(request, "portal/confirm.html", context)
    return _carry_out(request, quarantined, Decision.OTHER)


def _assign(request: HttpRequest, quarantined: QuarantinedFile) -> HttpResponse:
    """Search for a record, compare both identities, file under it."""
    user = signed_in(request)
    if "patient" not in request.POST:
        form = SearchForm(request.POST)
        if not form.is_valid():
            return _show(request, quarantined, search_form=form, status=422)
        rows = candidates(form.cleaned_data["search"], user)
        audit.record(user, "patients.searched", quarantined, why="treatment", rows=len(rows))
        return _show(request, quarantined, search_form=form, candidates=rows, searched=True)
    patient = _chosen(request, user)
    if patient is None:
        return _show(request, quarantined, problem=_("This record cannot be found. Search for it again."), status=422)
    if not request.POST.get("sure"):
        page = page_of(quarantined, user)
        compared = identities(quarantined, page.held, [patient])
        context = {"held": quarantined, "page": page, "rows": compared, "patient": patient}
        return render(request, "imaging/held_assign.html", {**context, "together": request.POST.get("together", "")})
    return _carry_out(request, quarantined, Decision.ASSIGNED, patient)


def _register(request: HttpRequest, quarantined: QuarantinedFile) -> HttpResponse:
    """Create a record and file under it."""
    user = signed_in(request)
    if not page_of(quarantined, user).assign:
        return _show(request, quarantined, problem=_("This file cannot be filed under that record."), status=422)
    form = RegisterForm(request.POST, quarantined=quarantined, user=user)
    if not form.is_valid():
        return _show(request, quarantined, register_form=form, status=422)
    teams = [form.cleaned_data["care_team"]]
    try:
        patient = register_patient(quarantined, form.identity(), care_teams=teams, actor=user)
    except UserError as problem:
        form.add_error("mrn", str(problem))
        return _show(request, quarantined, register_form=form, status=422)
    return _carry_out(request, quarantined, Decision.ASSIGNED, patient)


_STEPS = {"same": _accept, "other": _discard, "assigned": _assign, "registered": _register}


def _chosen(request: HttpRequest, user: User) -> Patient | None:
    try:
        return assignable(user, uuid.UUID(request.POST["patient"]))
    except ValueError:
        return None


def _carry_out(
    request: HttpRequest, quarantined: QuarantinedFile, decision: Decision, patient: Patient | None = None
) -> HttpResponse:
    """Decide on the file, and on those that belong with it if the user wants so; say what became of them."""
    user = signed_in(request)
    files = [quarantined]
    if request.POST.get("together") == "1":
        rest = decidable(user).filter(pk__in=held_together(quarantined).values("pk")).exclude(pk=quarantined.pk)
        files += list(rest.select_related("patient", "uploaded_by").order_by("created_at", "pk")[: MAX_TOGETHER - 1])
    remaining = held_together(quarantined).count() - len(files) if len(files) == MAX_TOGETHER else 0
    try:
        decided = decide_together(files, decision, actor=user, patient=patient)
    except PermissionError as error:
        raise Http404 from error
    except (FileNotFoundError, CannotOpen):
        lost = _("A file cannot be read from storage. Nothing was deleted; ask your administrator.")
        return _show(request, quarantined, problem=lost, status=500)
    return _tell(request, quarantined, decided, remaining)


def _tell(request: HttpRequest, quarantined: QuarantinedFile, decided: Decided, remaining: int) -> HttpResponse:
    filed, kept = len(decided.filed), len(decided.kept)
    if filed:
        text = ngettext("%(n)s file was filed.", "%(n)s files were filed.", filed)
        messages.success(request, text % {"n": filed})
    if decided.discarded:
        text = ngettext("%(n)s file was discarded.", "%(n)s files were discarded.", decided.discarded)
        messages.success(request, text % {"n": decided.discarded})
    for reason in dict.fromkeys(message(row.code, row.parameters) for row in decided.kept):
        text = ngettext("%(n)s file is still quarantined:", "%(n)s files are still quarantined:", kept)
        messages.error(request, f"{text % {'n': kept}} {reason}")
    if remaining > 0:
        text = ngettext("%(n)s more file waits: decide again.", "%(n)s more files wait: decide again.", remaining)
        messages.warning(request, text % {"n": remaining})
    if kept:
        return redirect("imaging:held-file", quarantined.pk)
    if filed and not remaining and signed_in(request).role in PHYSICIANS:
        return redirect("portal:study", decided.filed[0].series.study.study_instance_uid)
    return redirect("imaging:held")


def _study_url(quarantined: QuarantinedFile) -> str:
    if quarantined.instance is None:
        return ""
    return reverse("portal:study", args=[quarantined.instance.series.study.study_instance_uid])

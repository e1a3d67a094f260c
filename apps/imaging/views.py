"""Pages for uploads and de-identified exports."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO, cast

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import PHYSICIANS, Role, User
from apps.imaging import deidentify, uploads
from apps.imaging.access import exports_visible_to, visible_to
from apps.imaging.models import Outcome, Upload, UploadedFile
from apps.imaging.quarantine import decidable
from apps.imaging.upload_rows import outcome_row, recent_groups
from apps.jobs.errors import Refusal
from apps.jobs.models import State


@role_required(*PHYSICIANS)
@require_GET
def upload_page(request: HttpRequest) -> HttpResponse:
    """Upload page with drag and drop."""
    user = signed_in(request)
    context = {"recent": recent_groups(user), "held": decidable(user).count(), "texts": _texts()}
    return render(request, "imaging/upload.html", context)


def _texts() -> dict[str, str]:
    return {
        "sending": _("Uploading"),
        "checking": _("Checking and encrypting"),
        "open": _("Open study"),
        "decide": _("Decide"),
        "files": _("Files"),
        "stored": str(Outcome.STORED.label),
        "duplicate": str(Outcome.DUPLICATE.label),
        "held": str(Outcome.HELD.label),
        "refused": str(Outcome.REFUSED.label),
        "lost": _("Not uploaded"),
        "lostReason": _("The connection was lost. Upload the file again; files already stored are not stored twice."),
        "signedOut": _("You have been signed out. Reload the page, sign in and upload the file again."),
        "summary": _(
            "{stored} stored, {duplicate} already stored, {held} quarantined, {refused} not accepted, {waiting} waiting"
        ),
    }


@role_required(*PHYSICIANS)
@require_POST
def start(request: HttpRequest) -> JsonResponse:
    """Start an upload; respond with the URL for its files."""
    upload = uploads.start_upload(user=signed_in(request))
    return JsonResponse({"files": reverse("imaging:upload-file", args=[upload.pk])}, status=201)


@role_required(*PHYSICIANS)
@require_POST
def receive_file(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponseBase:
    """Ingest one file or ZIP; stream one NDJSON line per file as soon as its outcome is known."""
    upload = get_object_or_404(Upload, pk=upload_id, user=signed_in(request))
    file = request.FILES.get("file")
    if file is None:
        limit = _("The upload was empty or exceeded the size limit.")
        return JsonResponse({"outcome": Outcome.REFUSED, "label": Outcome.REFUSED.label, "reason": limit}, status=400)
    name = request.POST.get("path") or file.name or ""
    outcomes = uploads.ingest_files(upload, name, cast(BinaryIO, file.file), user=signed_in(request))
    return StreamingHttpResponse(
        _lines(outcomes, signed_in(request), get_language() or "en"), content_type="application/x-ndjson"
    )


async def _lines(outcomes: Iterator[UploadedFile], user: User, language: str) -> AsyncIterator[str]:
    def next_row() -> dict[str, Any] | None:
        with override(language):
            file = next(outcomes, None)
            return outcome_row(file, user) if file else None

    while (row := await sync_to_async(next_row)()) is not None:
        yield json.dumps(row, ensure_ascii=False) + "\n"


@role_required(*PHYSICIANS)
@require_POST
def request_release(request: HttpRequest, study_uid: str) -> HttpResponse:
    """Request a de-identified export of a study."""
    study = get_object_or_404(visible_to(signed_in(request)), study_instance_uid=study_uid)
    try:
        deidentify.request_export(study, actor=signed_in(request))
    except Refusal as reason:
        messages.error(request, str(reason))
        return redirect("portal:study", study_uid)
    return redirect("imaging:releases")


@role_required(*PHYSICIANS, Role.RESEARCHER)
@require_GET
def release_list(request: HttpRequest) -> HttpResponse:
    """List the de-identified exports that this user may download."""
    rows = exports_visible_to(signed_in(request)).filter(expires_at__gt=timezone.now())[:200]
    context = {"rows": rows, "waiting": any(not row.finished for row in rows)}
    return render(
        request, "imaging/_releases.html" if request.headers.get("HX-Request") else "imaging/releases.html", context
    )


@role_required(*PHYSICIANS, Role.RESEARCHER)
@require_GET
def release_file(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Download the ZIP of an export."""
    exports = exports_visible_to(signed_in(request)).filter(state=State.SUCCEEDED, expires_at__gt=timezone.now())
    export = get_object_or_404(exports.select_related("study"), pk=pk)
    try:
        content = deidentify.download(export, actor=signed_in(request))
    except FileNotFoundError:
        raise Http404 from None
    name = f"export-{export.pk.hex[:8]}.zip"
    return HttpResponse(
        content, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )

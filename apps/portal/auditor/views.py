"""The auditor's pages: audit trail, its verification, and review of break-glass accesses. No clinical data."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit, audit_chain
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.audit_export import bundle
from apps.accounts.models import AuditEntry, Role
from apps.patients import break_glass
from apps.patients.models import BreakGlassAccess
from apps.portal.auditor.forms import TrailFilter, VerdictForm

PAGE = 50
MAX_EXPORTED_ENTRIES = 10_000
MAX_VERIFIED_ENTRIES = 200_000
"""Verified within the request; a longer trail is verified by ``manage.py audit verify``."""


@role_required(Role.AUDITOR)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the entries that match the filter, newest first."""
    form = TrailFilter(request.GET or None)
    page = Paginator(_matching(form), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": page,
        "query": query.urlencode(),
        "newest": audit_chain.newest_checkpoint(),
        "pending": BreakGlassAccess.objects.filter(review="").count(),
    }
    return render(request, "portal/auditor/home.html", context)


@role_required(Role.AUDITOR)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Recompute and verify the hash chain."""
    actor = signed_in(request)
    if AuditEntry.objects.count() > MAX_VERIFIED_ENTRIES:
        messages.error(
            request,
            _("The audit trail is too long to verify here. Verify it on the server with “manage.py audit verify”."),
        )
        return redirect("portal:auditor")
    audit_chain.link_waiting()
    result = audit_chain.verify()
    if not result.problems:  # never sign a trail that failed verification
        audit_chain.checkpoint()
    audit.record(actor, "trail.verified", entries=result.entries, problems=len(result.problems))
    return render(request, "portal/auditor/verified.html", {"found": result})


@role_required(Role.AUDITOR)
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Export the matching entries as a FHIR Bundle of AuditEvents."""
    entries = list(_matching(TrailFilter(request.GET or None))[:MAX_EXPORTED_ENTRIES])
    audit.record(signed_in(request), "trail.exported", entries=len(entries))
    body = json.dumps(bundle(entries), ensure_ascii=False)
    name = f"audit-{timezone.now():%Y%m%d-%H%M}.json"
    return HttpResponse(
        body,
        content_type="application/fhir+json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@role_required(Role.AUDITOR)
@require_GET
def emergencies(request: HttpRequest) -> HttpResponse:
    """List break-glass accesses, unreviewed ones first."""
    rows = BreakGlassAccess.objects.select_related("user", "reviewed_by").order_by("review", "-started_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/auditor/emergencies.html", {"page": page})


@role_required(Role.AUDITOR)
@require_http_methods(["GET", "POST"])
def emergency(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a break-glass access with its reason and the actions taken; record the verdict."""
    access = get_object_or_404(BreakGlassAccess.objects.select_related("user"), pk=pk)
    form = VerdictForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verdict = BreakGlassAccess.Review(form.cleaned_data["verdict"])
        if break_glass.review(access, verdict, form.cleaned_data["note"], actor=signed_in(request)):
            messages.success(
                request, _("Your assessment has been recorded, and %(who)s has been notified.") % {"who": access.user}
            )
        else:
            messages.info(request, _("Someone else has already reviewed it."))
        return redirect("portal:auditor-emergencies")
    end = access.ended_at or access.expires_at
    actions = AuditEntry.objects.filter(
        actor=access.user, patient_ref=access.key_holder, at__gte=access.started_at, at__lte=end + timedelta(minutes=1)
    ).order_by("at")[:200]
    audit.record(signed_in(request), "emergency.read", access, why="review")
    return render(request, "portal/auditor/emergency.html", {"access": access, "form": form, "acts": actions})


def _matching(form: TrailFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.select_related("actor").order_by("-at")
    if not form.is_bound or not form.is_valid():
        return rows
    filters: dict[str, Any] = form.cleaned_data
    if filters["action"]:
        rows = rows.filter(action__startswith=filters["action"])
    if filters["user"]:
        rows = rows.filter(actor__username=filters["user"])
    if filters["record"]:
        rows = rows.filter(patient_ref=filters["record"].replace("-", "").lower())
    if filters["outcome"]:
        rows = rows.filter(outcome=filters["outcome"])
    if filters["since"]:
        rows = rows.filter(at__gte=timezone.make_aware(datetime.combine(filters["since"], time.min)))
    if filters["until"]:
        rows = rows.filter(at__lt=timezone.make_aware(datetime.combine(filters["until"], time.min)) + timedelta(days=1))
    return rows

"""The auditor's pages: the trail, its verification, and emergency accesses to review. No clinical data."""

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
MOST_EXPORTED = 10_000
MOST_VERIFIED = 200_000
"""A page waits for it; a longer trail is verified by ``manage.py audit verify``."""


@role_required(Role.AUDITOR)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The newest entries that match the filter."""
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
    """Compute the chain anew."""
    actor = signed_in(request)
    if AuditEntry.objects.count() > MOST_VERIFIED:
        messages.error(
            request,
            _("The audit trail is too long to verify here. Verify it on the server with “manage.py audit verify”."),
        )
        return redirect("portal:auditor")
    audit_chain.link_waiting()
    found = audit_chain.verify()
    if not found.problems:  # what was tampered with is not signed on top
        audit_chain.checkpoint()
    audit.record(actor, "trail.verified", entries=found.entries, problems=len(found.problems))
    return render(request, "portal/auditor/verified.html", {"found": found})


@role_required(Role.AUDITOR)
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The matching entries as a FHIR Bundle of AuditEvents."""
    entries = list(_matching(TrailFilter(request.GET or None))[:MOST_EXPORTED])
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
    """Emergency accesses, those to be reviewed first."""
    rows = BreakGlassAccess.objects.select_related("user", "reviewed_by").order_by("review", "-started_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/auditor/emergencies.html", {"page": page})


@role_required(Role.AUDITOR)
@require_http_methods(["GET", "POST"])
def emergency(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One emergency access: its reason, what was opened meanwhile, and the verdict."""
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
    acts = AuditEntry.objects.filter(
        actor=access.user, patient_ref=access.key_holder, at__gte=access.started_at, at__lte=end + timedelta(minutes=1)
    ).order_by("at")[:200]
    audit.record(signed_in(request), "emergency.read", access, why="review")
    return render(request, "portal/auditor/emergency.html", {"access": access, "form": form, "acts": acts})


def _matching(form: TrailFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.select_related("actor").order_by("-at")
    if not form.is_bound or not form.is_valid():
        return rows
    said: dict[str, Any] = form.cleaned_data
    if said["action"]:
        rows = rows.filter(action__startswith=said["action"])
    if said["user"]:
        rows = rows.filter(actor__username=said["user"])
    if said["record"]:
        rows = rows.filter(patient_ref=said["record"].replace("-", "").lower())
    if said["outcome"]:
        rows = rows.filter(outcome=said["outcome"])
    if said["since"]:
        rows = rows.filter(at__gte=timezone.make_aware(datetime.combine(said["since"], time.min)))
    if said["until"]:
        rows = rows.filter(at__lt=timezone.make_aware(datetime.combine(said["until"], time.min)) + timedelta(days=1))
    return rows

"""The patient's page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import Role
from apps.patients.access import visible_to


@role_required(Role.PATIENT)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Who the patient is here; results follow once a doctor has released them."""
    record = visible_to(signed_in(request)).prefetch_related("care_teams").first()
    return render(request, "portal/patient/home.html", {"record": record})

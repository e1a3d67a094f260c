"""The administrator's start page: system status, never patient data."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.accounts.access import role_required
from apps.accounts.models import CareTeam, Role, User
from apps.inference.queries import installed
from apps.jobs.leases import job_models
from apps.jobs.models import State
from apps.portal.admin.labels import table_name


@role_required(Role.ADMIN)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show counts of accounts, care teams, models and jobs by state."""
    roles = {row["role"]: row["n"] for row in User.objects.values("role").annotate(n=Count("pk"))}
    context = {
        "roles": [(role.label, roles.get(role.value, 0)) for role in Role],
        "teams": CareTeam.objects.annotate(size=Count("members")),
        "packages": installed(),
        "jobs": [(table_name(model), _states(model)) for model in job_models()],
        "states": [state.label for state in State],
    }
    return render(request, "portal/admin/home.html", context)


def _states(model: type) -> list[int]:
    counts = dict(model._default_manager.order_by().values_list("state").annotate(Count("pk")))  # type: ignore[attr-defined]
    return [counts.get(state.value, 0) for state in State]

"""The door of the house, and the two questions that an operator asks."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from apps.accounts.models import Role
from apps.inference.queries import installed
from apps.protection.keyring import keyring

HOMES = {Role.DOCTOR: "portal:worklist", Role.PATIENT: "portal:patient", Role.ADMIN: "portal:admin"}


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the page of the reader's role."""
    return redirect(HOMES[Role(request.user.role)])  # type: ignore[union-attr]


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the process answers."""
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether it can do its work: database, keys, a model."""
    checks = {"database": _database(), "keyring": _keyring()}
    checks["models"] = checks["database"] and installed().filter(active=True).exists()
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations")
    except DatabaseError:
        return False
    return True


def _keyring() -> bool:
    try:
        keyring()
    except Exception:
        return False
    return True

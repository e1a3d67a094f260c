"""Discordance between notes and imaging findings."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.models import CLINICIANS
from apps.notes import discordance
from apps.notes.models import Discordance
from apps.records.case_pages import get_case, redirect_back, show_user_errors


@role_required(*CLINICIANS)
@require_POST
@show_user_errors
def settle(request: HttpRequest, pk: uuid.UUID, discordance_id: uuid.UUID) -> HttpResponse:
    """Mark a discordance as reviewed."""
    row = get_object_or_404(
        Discordance.objects.select_related("case__patient"), pk=discordance_id, case=get_case(request, pk)
    )
    discordance.settle(row, actor=signed_in(request))
    return redirect_back(request, pk)

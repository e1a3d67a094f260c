"""The door of the house, the two questions that an operator asks, and what browsers complain of."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import Role
from apps.accounts.untrusted_input import parse_json
from apps.portal.readiness import readiness

logger = logging.getLogger(__name__)

HOMES = {
    Role.DOCTOR: "portal:worklist",
    Role.RADIOLOGIST: "portal:worklist",
    Role.NURSE: "portal:worklist",
    Role.PATIENT: "portal:patient",
    Role.RESEARCHER: "imaging:releases",
    Role.ADMIN: "portal:admin",
    Role.AUDITOR: "portal:auditor",
}


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
    """What the site needs, part by part; 503 if one does not work.

    ``?exclude=NAME`` leaves a part out (``exclude=workers`` all workers), as the API server of Kubernetes does it.
    """
    answer = readiness(exclude=request.GET.getlist("exclude"))
    return JsonResponse({"ready": answer.ready, "parts": answer.parts}, status=200 if answer.ready else 503)


LONGEST_REPORT = 8192


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """A browser refused something that the policy forbids (CSP 3, section 5): logged, without paths of pages.

    Anybody can send one, so only known words and host names get into the log.
    """
    try:
        report = parse_json(request.body[:LONGEST_REPORT])["csp-report"]
        directive = str(report.get("effective-directive") or report.get("violated-directive", ""))
        blocked = str(report.get("blocked-uri", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return HttpResponse(status=400)
    directive = directive if re.fullmatch(r"[a-z-]{1,30}", directive) else "?"
    host = urlsplit(blocked).hostname or blocked
    logger.warning("policy: %s refused %s", directive, host if re.fullmatch(r"[a-z0-9.:-]{1,80}", host) else "?")
    return HttpResponse(status=204)

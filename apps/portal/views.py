"""Start page by role, health and readiness endpoints, and CSP reports."""

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
    """Redirect to the start page of the user's role."""
    return redirect(HOMES[Role(request.user.role)])  # type: ignore[union-attr]


@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """Report that the process is alive."""
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Report the readiness of each part; 503 if one is not ready.

    ``?exclude=NAME`` skips a part (``exclude=workers`` all workers), as in the API server of Kubernetes.
    """
    answer = readiness(exclude=request.GET.getlist("exclude"))
    return JsonResponse({"ready": answer.ready, "parts": answer.parts}, status=200 if answer.ready else 503)


MAX_REPORT_BYTES = 8192


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log a browser's report of a policy violation (CSP 3, section 5), without page paths.

    Anyone can send one, so only directives and host names are logged.
    """
    try:
        report = parse_json(request.body[:MAX_REPORT_BYTES])["csp-report"]
        directive = str(report.get("effective-directive") or report.get("violated-directive", ""))
        blocked = str(report.get("blocked-uri", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return HttpResponse(status=400)
    directive = directive if re.fullmatch(r"[a-z-]{1,30}", directive) else "?"
    host = urlsplit(blocked).hostname or blocked
    logger.warning("policy: %s refused %s", directive, host if re.fullmatch(r"[a-z0-9.:-]{1,80}", host) else "?")
    return HttpResponse(status=204)

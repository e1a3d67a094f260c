"""Context processor for the layout of every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.accounts.models import CLINICIANS, PHYSICIANS, Notice
from apps.patients.access import active_emergencies

THEMES = ("medportal", "medportal-dark")
"""Values of the theme cookie; without one the system's setting applies."""


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the user's role, notifications and display settings, and site-wide flags."""
    role = getattr(getattr(request, "user", None), "role", "")
    theme = request.COOKIES.get("theme", "")
    theme = theme if theme in THEMES else ""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return {
        "demo": settings.DEMO,
        "version": settings.VERSION,
        "my_role": role,
        "is_clinician": role in CLINICIANS,
        "is_physician": role in PHYSICIANS,
        "unread": Notice.objects.filter(user=user, read_at=None).count() if signed_in else 0,
        "emergencies": active_emergencies(user).select_related("patient") if role in CLINICIANS else [],
        "sso": bool(settings.OIDC_ISSUER),
        "theme": theme,
        "large_type": request.COOKIES.get("type") == "large",
    }

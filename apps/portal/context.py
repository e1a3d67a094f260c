"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.accounts.models import Role

THEMES = ("medportal", "medportal-dark")
"""The reader's choice, kept in a cookie; without one the system's setting counts."""


def site(request: HttpRequest) -> dict[str, Any]:
    """Role of the reader and whether this is the demo."""
    role = getattr(getattr(request, "user", None), "role", "")
    theme = request.COOKIES.get("theme", "")
    theme = theme if theme in THEMES else ""
    return {"demo": settings.DEMO, "is_doctor": role == Role.DOCTOR, "is_admin": role == Role.ADMIN, "theme": theme}

"""Re-authentication before sensitive operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

V = TypeVar("V", bound=Callable[..., Any])


def freshly_authenticated(view: V) -> V:
    """Require authentication within the last minutes, by sign-in or re-authentication.

    Not allauth's decorator, which stores a form submitted too late in the session, in
    plaintext. Here the user submits the form again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        records = get_authentication_records(request, request.user)
        latest = max((record["at"] for record in records), default=0)
        if time.time() - latest < app_settings.REAUTHENTICATION_TIMEOUT:
            return view(request, *args, **kwargs)
        if request.method == "POST":
            messages.info(request, _("Confirm your identity, then submit the form again. Nothing has been changed."))
        page = request.path if request.method == "GET" else _page_before(request)
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}")

    return guarded  # type: ignore[return-value]


def _page_before(request: HttpRequest) -> str:
    """Return the page that contained the form: some forms post to a URL that only accepts POST."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    return referrer.path if referrer.netloc == request.get_host() else reverse("portal:home")

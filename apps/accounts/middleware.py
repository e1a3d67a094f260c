"""Middleware: isolation headers, caching, audit origin, session time-outs, forced password change, second factor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.utils import is_mfa_enabled
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.actors import Origin, acting_from
from apps.accounts.models import Outcome
from apps.accounts.second_factor import requires_second_factor
from apps.accounts.untrusted_input import unstorable
from apps.protection.keyring import keyring

IDLE_MARK = "last_seen"
STARTED_MARK = "signed_in_at"
_MARK_EVERY_SECONDS = 30
_API_PREFIXES = ("/api/v1/", "/dicom-web/")
_PUBLIC_PATHS = (
    "/language/", "/healthz", "/readyz", "/csp-report/", "/static/",
    "/manifest.webmanifest", "/service-worker.js", "/offline/",
)  # fmt: skip
_ALLOWED_BEFORE_PASSWORD_CHANGE = ("/accounts/logout/", *_PUBLIC_PATHS)
_FACTOR_SET_UP = frozenset(
    {
        "account_login", "account_logout", "account_inactive", "account_reauthenticate", "account_change_password",
        "mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
        "mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_login_webauthn",
    }
)  # fmt: skip
"""URL names of the account pages open to users who still have to set up their required second factor."""


class _Middleware:
    """Base of middleware for sync and async views: ``before`` may short-circuit, ``after`` may modify the response."""

    async_capable = sync_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self._call_async(request)
        return self.before(request) or self.after(request, self.get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        early = await sync_to_async(self.before)(request)
        return early or self.after(request, await self.get_response(request))

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return a response to use instead of calling the view, or None."""
        return None

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response, possibly modified."""
        return response


class Isolation(_Middleware):
    """Sets cross-origin isolation and denies device sensors by Permissions-Policy."""

    headers = {
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=(), display-capture=()",
    }

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        return response


class EncryptedApi(_Middleware):
    """Refuses API calls without TLS instead of redirecting them: a client would never notice what it leaks.

    ASVS 5.0, 4.1.2. Browsers are redirected by ``SECURE_SSL_REDIRECT``.
    """

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        if request.is_secure() or not settings.SECURE_SSL_REDIRECT or not request.path.startswith(_API_PREFIXES):
            return None
        return JsonResponse({"detail": "Call this address by https."}, status=403)


class StorableInput(_Middleware):
    """Refuses input that no database can store (NUL, lone surrogates) before any view reads it."""

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        return unstorable(request)


class NoStore(_Middleware):
    """Keeps responses out of browser and proxy caches.

    A view's own Cache-Control takes precedence: image frames are fetched repeatedly and
    may stay in memory (never on disk) while the page is open.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path == reverse("account_logout"):
            response.headers["Clear-Site-Data"] = '"cache"'  # frames in memory too
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class AuditDeniedAccess(_Middleware):
    """Records denied access attempts in the audit trail (ASVS 5.0, 16.3.2).

    Views answer 404 to unauthorised users; a URL that matches no view is not recorded.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        page = request.resolver_match
        if response.status_code in (403, 404) and page is not None and request.user.is_authenticated:
            audit.record(request.user, "access.refused", outcome=Outcome.REFUSED, route=page.view_name)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.after)(request, await self.get_response(request))


class TimeOut(_Middleware):
    """Ends sessions that were idle too long or have reached their maximum age (ASVS 5.0, 7.3)."""

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        if not request.user.is_authenticated:
            return None
        now = int(time.time())
        started = request.session.setdefault(STARTED_MARK, now)
        last_seen = request.session.setdefault(IDLE_MARK, now)
        idle = now - last_seen > settings.SESSION_IDLE_SECONDS
        if idle or now - started > settings.SESSION_COOKIE_AGE:
            audit.record(request.user, "session.timed_out", idle=idle)
            logout(request)
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401, headers={"HX-Redirect": reverse("account_login")})
            messages.info(
                request, _("You have been signed out because your session was inactive or expired. Sign in again.")
            )
            return redirect(
                f"{reverse('account_login')}?next={request.path}" if request.method == "GET" else "account_login"
            )
        # Background polling does not count as user activity.
        if now - last_seen > _MARK_EVERY_SECONDS and "X-Polling" not in request.headers:
            request.session[IDLE_MARK] = now
        return None


class ForcePasswordChange(_Middleware):
    """Restricts a user with a temporary password to the password change page."""

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        user = request.user
        if (
            not user.is_authenticated
            or user.given_password_until is None
            or request.path.startswith(_ALLOWED_BEFORE_PASSWORD_CHANGE)
        ):
            return None
        change = reverse("account_change_password")
        if user.given_password_until < timezone.now():
            audit.record(user, "session.refused", user, outcome=Outcome.REFUSED)
            logout(request)
            messages.error(request, _("Your temporary password has expired. Ask an administrator for a new one."))
            return redirect("account_login")
        if request.path == change:
            return None
        messages.info(request, _("Choose your own password first."))
        return redirect(change)


class SecondFactor(_Middleware):
    """Sends users whose role requires a second factor to set one up first."""

    def before(self, request: HttpRequest) -> HttpResponseBase | None:
        user = request.user
        if not user.is_authenticated or not requires_second_factor(user):
            return None
        if self._is_allowed_without(request) or self._provider_asked(request) or is_mfa_enabled(user):
            return None
        messages.warning(request, _("Your role requires a second factor. Add a passkey or an authenticator app first."))
        return redirect("mfa_index")

    @staticmethod
    def _is_allowed_without(request: HttpRequest) -> bool:
        """Return whether the path is public or needed to set up a second factor."""
        if request.path.startswith(_PUBLIC_PATHS):
            return True
        try:
            return resolve(request.path_info).view_name in _FACTOR_SET_UP
        except Resolver404:
            return False

    @staticmethod
    def _provider_asked(request: HttpRequest) -> bool:
        """Return whether the hospital's identity provider has checked a second factor."""
        if not settings.OIDC_DOES_MFA:
            return False
        records = request.session.get("account_authentication_methods", [])
        return any(record.get("method") == "socialaccount" for record in records)


def origin_of(request: HttpRequest) -> Origin:
    """Return the network address and a keyed digest of the session or token."""
    key = getattr(getattr(request, "session", None), "session_key", None) or request.headers.get("Authorization", "")
    session = keyring().index("accounts.session", key, bits=64) if key else ""
    return Origin(source=get_adapter().get_client_ip(request) or "", session=session)


@sync_and_async_middleware
def audit_context(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Set the origin of audit entries for the request."""
    if iscoroutinefunction(get_response):

        async def call_async(request: HttpRequest) -> HttpResponseBase:
            with acting_from(await sync_to_async(origin_of)(request)):
                response: HttpResponseBase = await get_response(request)
                return response

        return call_async

    def call(request: HttpRequest) -> HttpResponseBase:
        with acting_from(origin_of(request)):
            response: HttpResponseBase = get_response(request)
            return response

    return call


isolation = Isolation
encrypted_api = EncryptedApi
no_store = NoStore
storable_input = StorableInput
audit_denied_access = AuditDeniedAccess
time_out = TimeOut
force_password_change = ForcePasswordChange
second_factor = SecondFactor

"""Pages of a user's own account: tokens and notifications. Sign-in and second factors are allauth's pages."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.actors import signed_in
from apps.accounts.forms import TokenForm
from apps.accounts.models import ApiToken, Notice
from apps.accounts.notifications import mark_read
from apps.accounts.reauthentication import freshly_authenticated
from apps.accounts.tokens import make_token, revoke_token


@login_required
@freshly_authenticated
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens; create a token, whose text is shown once."""
    user = signed_in(request)
    form = TokenForm(request.POST or None)
    text = ""
    if request.method == "POST" and form.is_valid():
        _token, text = make_token(user, **form.cleaned_data)
        form = TokenForm()
    rows = ApiToken.objects.filter(user=user)
    return render(request, "account/tokens.html", {"form": form, "rows": rows, "text": text})


@login_required
@require_POST
def revoke(request: HttpRequest, digest: str) -> HttpResponse:
    """Revoke one of the user's tokens."""
    token = get_object_or_404(ApiToken, pk=digest, user=signed_in(request))
    revoke_token(token, actor=signed_in(request))
    messages.success(request, _("Token “%(name)s” has been revoked.") % {"name": token.name})
    return redirect("account_tokens")


@login_required
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """List the user's notifications and mark them as read."""
    rows = list(Notice.objects.filter(user=signed_in(request))[:100])
    mark_read(signed_in(request))
    return render(request, "account/notices.html", {"rows": rows})

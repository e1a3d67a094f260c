"""Accounts, care teams and sessions."""

from __future__ import annotations

import uuid

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import account_admin
from apps.accounts.access import role_required
from apps.accounts.actors import signed_in
from apps.accounts.forms import TeamForm, UserForm
from apps.accounts.models import ApiToken, CareTeam, Role, User
from apps.accounts.reauthentication import freshly_authenticated
from apps.jobs.errors import UserError

PAGE = 50


@role_required(Role.ADMIN)
@require_GET
def user_list(request: HttpRequest) -> HttpResponse:
    """List all accounts."""
    rows = User.objects.annotate(
        sessions=Count("usersession", distinct=True),
        factors=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
    ).prefetch_related("care_teams")
    role = request.GET.get("role", "")
    if role in Role.values:
        rows = rows.filter(role=role)
    page = Paginator(rows.order_by("role", "username"), PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/admin/users.html", {"page": page, "roles": Role.choices, "role": role})


@role_required(Role.ADMIN)
@freshly_authenticated
@require_http_methods(["GET", "POST"])
def user_new(request: HttpRequest) -> HttpResponse:
    """Create an account."""
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        user, password = account_admin.add_user(
            username=data["username"],
            role=Role(data["role"]),
            staff_name=data["staff_name"],
            teams=data["teams"],
            actor=signed_in(request),
        )
        return _account_page(request, user, password=password)
    return render(request, "portal/admin/user.html", {"form": form}, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_http_methods(["GET", "POST"])
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit an account and show its sessions, tokens and second factors."""
    user = get_object_or_404(User, pk=pk)
    form = UserForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            account_admin.change_user(
                user,
                role=Role(data["role"]),
                staff_name=data["staff_name"],
                is_active=data["is_active"],
                teams=data["teams"],
                actor=signed_in(request),
            )
        except UserError as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, _("The account has been updated."))
            return redirect("portal:admin-users")
    return _account_page(request, user, form=form)


def _account_page(
    request: HttpRequest, user: User, *, form: UserForm | None = None, password: str = ""
) -> HttpResponse:
    form = form or UserForm(user=user)
    context = {
        "form": form,
        "account": user,
        "password": password,
        "password_days": account_admin.TEMPORARY_PASSWORD_DAYS,
        "sessions": UserSession.objects.filter(user=user).order_by("-last_seen_at"),
        "tokens": ApiToken.objects.filter(user=user),
        "factors": Authenticator.objects.filter(user=user),
    }
    return render(request, "portal/admin/user.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a temporary password for a user who has forgotten theirs; it is shown once."""
    user = get_object_or_404(User, pk=pk)
    try:
        password = account_admin.set_temporary_password(user, actor=signed_in(request))
    except UserError as reason:
        messages.error(request, str(reason))
        return redirect("portal:admin-user", pk)
    return _account_page(request, user, password=password)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def user_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign an account out everywhere."""
    ended = account_admin.end_access(get_object_or_404(User, pk=pk), actor=signed_in(request))
    messages.success(request, _("%(number)s sessions and tokens ended.") % {"number": ended})
    return redirect("portal:admin-user", pk)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_POST
def user_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the second factors of an account whose owner has lost them."""
    try:
        count = account_admin.reset_factors(get_object_or_404(User, pk=pk), actor=signed_in(request))
    except UserError as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, _("%(number)s second factors removed.") % {"number": count})
    return redirect("portal:admin-user", pk)


@role_required(Role.ADMIN)
@freshly_authenticated
@require_http_methods(["GET", "POST"])
def team(request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Create or edit a care team."""
    team = get_object_or_404(CareTeam, pk=pk) if pk else None
    form = TeamForm(request.POST or None, team=team)
    if request.method == "POST" and form.is_valid():
        account_admin.save_team(team, **form.cleaned_data, actor=signed_in(request))
        messages.success(request, _("The care team has been saved."))
        return redirect("portal:admin")
    context = {"form": form, "team": team, "patients": team.patients.count() if team else 0}  # type: ignore[attr-defined]
    return render(request, "portal/admin/team.html", context, status=422 if form.errors else 200)


@role_required(Role.ADMIN)
@require_GET
def session_list(request: HttpRequest) -> HttpResponse:
    """List current sessions."""
    rows = UserSession.objects.select_related("user").order_by("-last_seen_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/admin/sessions.html", {"page": page})

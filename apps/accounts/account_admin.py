"""Administration of accounts and care teams."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from apps.accounts import audit
from apps.accounts.access import require_admin
from apps.accounts.actors import Actor, System
from apps.accounts.models import CareTeam, Role, User
from apps.jobs.errors import UserError

TEMPORARY_PASSWORD_DAYS = 7
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def add_user(*, username: str, role: Role, staff_name: str, teams: Iterable[CareTeam], actor: User) -> tuple[User, str]:
    """Create an account; return it with the temporary password for its first sign-in.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require_admin(actor)
    with transaction.atomic():
        user = User.objects.create(username=username, role=role, staff_name=staff_name)
        user.care_teams.set(teams)
        audit.record(actor, "account.created", user, role=str(role), teams=_ids(teams))
        return user, set_temporary_password(user, actor=actor)


def create_first_admin(*, username: str, staff_name: str, password: str | None) -> tuple[User, str]:
    """Create the first administrator from the server's command line; return it with its password.

    Args:
        password: the user's own password, checked by the site's rules; None for a random one to be replaced at the
            first sign-in. Either way the first sign-in asks for a second factor if the role requires one.

    Raises:
        UserError: ``admin_exists`` if there is an active administrator, who creates all further accounts, or
            ``username_taken``.
        django.core.exceptions.ValidationError: if the name or the password is not allowed.
    """
    with transaction.atomic():
        if User.objects.filter(role=Role.ADMIN, is_active=True).exists():
            raise UserError("admin_exists")
        if User.objects.filter(username=username).exists():
            raise UserError("username_taken")
        user = User(username=username, role=Role.ADMIN, staff_name=staff_name)
        if password is not None:
            validate_password(password, user)
        user.set_password(password or get_random_string(40))
        user.full_clean(exclude=["password"])
        user.save()
        system = System("createadmin command on the server")
        audit.record(system, "account.created", user, role=str(Role.ADMIN), teams=[])
        return user, password or set_temporary_password(user, actor=system)


def set_temporary_password(user: User, *, actor: Actor) -> str:
    """Set and return a random password, valid for a few days and only for choosing a new one (ASVS 5.0, 6.4.1).

    The user is signed out everywhere; second factors are unchanged.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``own_account``; administrators change their own password on their account page.
    """
    require_admin(actor)
    if not isinstance(actor, System) and user.pk == actor.pk:
        raise UserError("own_account")
    password = "-".join(get_random_string(5, _READABLE) for _ in range(6))
    with transaction.atomic():
        user.set_password(password)
        user.given_password_until = timezone.now() + timedelta(days=TEMPORARY_PASSWORD_DAYS)
        user.save()
        audit.record(actor, "password.given", user)
        end_access(user, actor=actor)
    return password


def change_user(
    user: User, *, role: Role, staff_name: str, is_active: bool, teams: Iterable[CareTeam], actor: User
) -> None:
    """Update an account; a user who is deactivated or changes role is signed out everywhere.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``last_admin``, ``own_account`` or ``role_of_patient``.
    """
    require_admin(actor)
    loses_admin = user.role == Role.ADMIN and (role != Role.ADMIN or not is_active)
    with transaction.atomic():
        admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
        if loses_admin and not admins:
            raise UserError("last_admin")
        if user.pk == actor.pk and (role != user.role or not is_active):
            raise UserError("own_account")
        if role != Role.PATIENT and getattr(user, "patient", None) is not None:
            raise UserError("role_of_patient")
        before = {"role": user.role, "active": user.is_active, "teams": _ids(user.care_teams.all())}
        needs_sign_out = user.role != role or (user.is_active and not is_active)
        user.role, user.staff_name, user.is_active = role, staff_name, is_active
        user.save()
        user.care_teams.set(teams)
        after = {"role": str(role), "active": is_active, "teams": _ids(teams)}
        audit.record(actor, "account.changed", user, before=before, after=after)
        if needs_sign_out:
            end_access(user, actor=actor)


def end_access(user: User, *, actor: Actor) -> int:
    """Sign the user out everywhere and revoke all tokens; return the number of sessions and tokens ended.

    Raises:
        PermissionError: if the actor is neither an administrator nor the user.
    """
    if isinstance(actor, System) or user.pk != actor.pk:
        require_admin(actor)
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    tokens, _ = user.auth_token_set.all().delete()
    audit.record(actor, "access.ended", user, sessions=len(sessions), tokens=tokens)
    return len(sessions) + tokens


def reset_factors(user: User, *, actor: User) -> int:
    """Remove all second factors of a user who has lost them and sign the user out; return how many were removed.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``own_account``; nobody may weaken their own account this way.
    """
    require_admin(actor)
    if user.pk == actor.pk:
        raise UserError("own_account")
    with transaction.atomic():
        count, _ = Authenticator.objects.filter(user=user).delete()
        audit.record(actor, "factor.reset_by_admin", user, factors=count)
        end_access(user, actor=actor)
    return count


def save_team(team: CareTeam | None, *, name: str, members: Iterable[User], actor: User) -> CareTeam:
    """Create or update a care team.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require_admin(actor)
    with transaction.atomic():
        team = team or CareTeam()
        team.name = name
        team.save()
        before = _ids(team.members.all())
        team.members.set(members)
        audit.record(actor, "team.saved", team, before=before, after=_ids(members))
    return team


def _ids(rows: Iterable[User] | Iterable[CareTeam]) -> list[str]:
    return sorted(str(row.pk) for row in rows)

"""Role predicates, and access guards for pages and API operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar

import rules
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from rest_framework.permissions import BasePermission

from apps.accounts.actors import Actor, System
from apps.accounts.models import CLINICIANS, PHYSICIANS, ApiToken, Role, Scope

V = TypeVar("V", bound=Callable[..., Any])


def has_role(*roles: Role) -> rules.Predicate:
    """Return a predicate that is true for active actors with one of these roles."""
    return rules.predicate(lambda actor: bool(actor and getattr(actor, "is_active", False) and actor.role in roles))


is_physician = has_role(*PHYSICIANS)
is_clinician = has_role(*CLINICIANS)
is_patient = has_role(Role.PATIENT)
is_admin = has_role(Role.ADMIN)
is_auditor = has_role(Role.AUDITOR)
is_researcher = has_role(Role.RESEARCHER)
is_system = rules.predicate(lambda actor: isinstance(actor, System))


def require_admin(actor: Actor) -> None:
    """Require an administrator or the system itself.

    Raises:
        PermissionError: for any other actor.
    """
    if not (is_system | is_admin).test(actor):
        raise PermissionError("only administrators may do this")


def role_required(*roles: Role) -> Callable[[V], V]:
    """Restrict a page to roles: other users get 404, as if it did not exist; anonymous users are sent to sign in."""

    def decorate(view: V) -> V:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if getattr(request.user, "role", None) not in roles:
                raise Http404
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


class RolePermission(BasePermission):
    """Restrict an API view to roles: other signed-in users get 404, as if it did not exist; anonymous users get 401.

    A token needs the scope of the operation: ``read_scope`` for safe methods, ``write_scope`` for
    others. A browser session has all permissions of its user.
    """

    roles: ClassVar[tuple[Role, ...]] = ()
    read_scope: ClassVar[Scope]
    write_scope: ClassVar[Scope | None] = None

    def has_permission(self, request: Any, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        if self.roles and request.user.role not in self.roles:
            raise Http404
        if isinstance(request.auth, ApiToken):
            is_read = request.method in ("GET", "HEAD", "OPTIONS") or getattr(view, "action", "") == "search"
            scope = self.read_scope if is_read else self.write_scope
            return scope is not None and scope in request.auth.scopes
        return True


class ReadsStudies(RolePermission):
    """Clinicians read studies."""

    roles = CLINICIANS
    read_scope = Scope.STUDIES_READ


class StoresStudies(RolePermission):
    """Physicians store studies."""

    roles = PHYSICIANS
    read_scope = Scope.STUDIES_READ
    write_scope = Scope.STUDIES_WRITE


class AsksModels(RolePermission):
    """Clinicians query models: request an explanation, or a prediction with an area masked."""

    roles = CLINICIANS
    read_scope = Scope.STUDIES_READ
    write_scope = Scope.STUDIES_WRITE


class WorksOnCases(RolePermission):
    """Clinicians read and write cases."""

    roles = CLINICIANS
    read_scope = Scope.CASES_READ
    write_scope = Scope.CASES_WRITE


class WorksOnRecommendations(RolePermission):
    """Clinicians read recommendations and decide on them."""

    roles = CLINICIANS
    read_scope = Scope.RECOMMENDATIONS_READ
    write_scope = Scope.RECOMMENDATIONS_WRITE


class AsksGuidelines(RolePermission):
    """Clinicians' programs query guidelines (read-only)."""

    roles = CLINICIANS
    read_scope = Scope.RECOMMENDATIONS_READ
    write_scope = Scope.RECOMMENDATIONS_READ


class ReadsModels(RolePermission):
    """Every signed-in user reads the model catalogue."""

    read_scope = Scope.MODELS_READ


class ReadsAuditTrail(RolePermission):
    """Auditors read the audit trail."""

    roles = (Role.AUDITOR,)
    read_scope = Scope.AUDIT_READ

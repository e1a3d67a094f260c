"""Roles as predicates, and the guard of pages that belong to a role."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import rules
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from rest_framework.permissions import BasePermission

from apps.accounts.actors import System
from apps.accounts.models import Role

V = TypeVar("V", bound=Callable[..., Any])


def _has_role(role: Role) -> rules.Predicate:
    return rules.predicate(lambda actor: bool(actor and getattr(actor, "is_active", False) and actor.role == role))


is_doctor = _has_role(Role.DOCTOR)
is_patient = _has_role(Role.PATIENT)
is_admin = _has_role(Role.ADMIN)
is_system = rules.predicate(lambda actor: isinstance(actor, System))


def role_required(*roles: Role) -> Callable[[V], V]:
    """A page of these roles: others get 404, as if it did not exist; strangers are sent to sign in."""

    def decorate(view: V) -> V:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if getattr(request.user, "role", None) not in roles:
                raise Http404
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


class DoctorOnly(BasePermission):
    """API of doctors: signed-in others get 404, as if it did not exist; strangers get 401."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.user.is_authenticated and request.user.role != Role.DOCTOR:
            raise Http404
        return bool(request.user.is_authenticated)

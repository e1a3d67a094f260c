"""What the views of a case share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from apps.accounts import audit
from apps.accounts.actors import signed_in
from apps.cases.access import can
from apps.cases.models import Alarm, Case
from apps.cases.queries import full
from apps.jobs.errors import ReadableError
from apps.patients.access import active_emergencies

View = Callable[..., HttpResponse]
TABS = ("overview", "notes", "values", "timeline", "risk", "reports", "team")


def case_of(request: HttpRequest, pk: uuid.UUID) -> Case:
    """The case, if the user sees it.

    Raises:
        Http404: otherwise.
    """
    return get_object_or_404(full(signed_in(request)), pk=pk)


def shown(
    request: HttpRequest, case: Case, tab: str, context: dict[str, Any], *, status: int = 200, part: str = ""
) -> HttpResponse:
    """A page of a case with its head; that it was read is written down."""
    user = signed_in(request)
    emergency = active_emergencies(user).filter(patient=case.patient).first()
    if not request.headers.get("X-Polling"):
        audit.record(user, "case.read", case, why="emergency" if emergency else "treatment", part=part or tab)
    head = {
        "case": case,
        "patient": case.patient,
        "tab": tab,
        "emergency": emergency,
        "may_decide": can(user, "cases.decide_case", case),
        "sounding": sum(alarm.sounding for alarm in Alarm.objects.filter(case=case, ended_at=None)),
    }
    template = f"cases/{part or tab}.html"
    return render(request, template, {**head, **context}, status=status)


def acting(view: View) -> View:
    """A verb that refuses says why on the page it came from; what one may not do is not there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except PermissionError:
            raise Http404 from None
        except ReadableError as refusal:
            messages.error(request, str(refusal))
            return back(request, kwargs.get("pk"))

    return guarded


def back(request: HttpRequest, pk: Any = None) -> HttpResponse:
    """To the page of the case that the form names."""
    tab = request.POST.get("tab", "")
    if pk is None:
        return redirect("cases:list")
    return redirect(f"cases:{tab}" if tab in TABS else "cases:overview", pk)


def problems(request: HttpRequest, form: Any) -> None:
    """Say what is wrong with a form that is not shown again."""
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        messages.error(request, f"{label}: {' '.join(errors)}" if label else " ".join(errors))

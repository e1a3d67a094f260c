"""Shared helpers of the views of a case."""

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
from apps.jobs.errors import UserError
from apps.patients.access import active_emergencies
from apps.records.access import can
from apps.records.models import Case
from apps.records.queries import allergies_of, full

View = Callable[..., HttpResponse]
TABS = {
    "overview": ("cases:overview", "cases/overview.html"),
    "notes": ("notes:notes", "notes/notes.html"),
    "values": ("records:values", "records/values.html"),
    "timeline": ("cases:timeline", "cases/timeline.html"),
    "risk": ("predictions:risk", "predictions/risk.html"),
    "reports": ("reports:reports", "reports/reports.html"),
    "team": ("cases:team", "cases/team.html"),
}
"""The tabs of a case: URL name and template of each."""


def get_case(request: HttpRequest, pk: uuid.UUID) -> Case:
    """Return the case, if the user may see it.

    Raises:
        Http404: otherwise.
    """
    return get_object_or_404(full(signed_in(request)), pk=pk)


def render_case_page(
    request: HttpRequest, case: Case, tab: str, context: dict[str, Any], *, status: int = 200, template: str = ""
) -> HttpResponse:
    """Render a page of a case below the case's header, and record in the audit trail that it was read.

    Args:
        tab: which of TABS is current.
        template: overrides the tab's template.
    """
    user = signed_in(request)
    template = template or TABS[tab][1]
    emergency = active_emergencies(user).filter(patient=case.patient).first()
    if not request.headers.get("X-Polling"):
        part = template.rpartition("/")[2].removesuffix(".html")
        audit.record(user, "case.read", case, why="emergency" if emergency else "treatment", part=part)
    header = {
        "case": case,
        "patient": case.patient,
        "tab": tab,
        "emergency": emergency,
        "allergies": allergies_of(case),
        "may_decide": can(user, "records.decide_case", case),
    }
    return render(request, template, {**header, **context}, status=status)


def show_user_errors(view: View) -> View:
    """Show a ``UserError`` on the page from which the form came; turn missing permission into 404."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except PermissionError:
            raise Http404 from None
        except UserError as refusal:
            messages.error(request, str(refusal))
            return redirect_back(request, kwargs.get("pk"))

    return guarded


def hide_forbidden(view: View) -> View:
    """Turn missing permission into 404."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except PermissionError:
            raise Http404 from None

    return guarded


def keep_typed_words(view: View) -> View:
    """Answer a form of a session that has ended with a message beside the form, not with the sign-in page over it.

    For forms that htmx sends; their page has a place ``#form-message`` and a token in ``#form-token``.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated or not request.headers.get("HX-Request"):
            return view(request, *args, **kwargs)
        answer = render(request, "records/_session_ended.html", status=401)
        answer["HX-Retarget"], answer["HX-Reselect"] = "#form-message", "#session-ended"
        answer["HX-Reswap"] = "innerHTML"
        return answer

    return guarded


def redirect_back(request: HttpRequest, pk: Any = None) -> HttpResponse:
    """Redirect to the case tab named by the form."""
    if pk is None:
        return redirect("cases:list")
    page, _template = TABS.get(request.POST.get("tab", ""), TABS["overview"])
    return redirect(page, pk)


def redirect_page(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Let htmx load the page that a redirect names instead of swapping it into the form."""
    if not request.headers.get("HX-Request"):
        return answer
    return HttpResponse(headers={"HX-Redirect": answer["Location"]})


def add_form_errors(request: HttpRequest, form: Any) -> None:
    """Show the errors of a form that is not rendered again as messages."""
    for name, errors in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        messages.error(request, f"{label}: {' '.join(errors)}" if label else " ".join(errors))

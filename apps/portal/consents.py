"""Consents as both the patient's and the doctor's page show them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.patients.access import permits
from apps.patients.models import Consent, ConsentState, Patient, Purpose


@dataclass(frozen=True)
class ConsentRow:
    """One purpose: what was said of it, when, and what follows."""

    purpose: Purpose
    state: ConsentState
    said: Consent | None
    permitted: bool

    @property
    def presumed(self) -> bool:
        """Whether it rests on the hospital's policy and not on the patient's word."""
        return self.permitted and self.state == ConsentState.NOT_STATED


def consent_rows(patient: Patient) -> list[ConsentRow]:
    """All purposes of a patient."""
    newest: dict[str, Consent] = {}
    for said in patient.consents.select_related("recorded_by"):
        newest.setdefault(said.purpose, said)
    return [
        ConsentRow(
            purpose,
            ConsentState(getattr(patient, f"consent_{purpose.value}")),
            newest.get(purpose.value),
            permits(patient, purpose),
        )
        for purpose in Purpose
    ]


def confirm_first(request: HttpRequest, purpose: Purpose, state: ConsentState, back: str) -> HttpResponse | None:
    """A page that says what a withdrawal closes, until it is confirmed; None for what closes nothing."""
    texts = {
        Purpose.CARE: _("The care team loses access to the whole record immediately, until consent is given again."),
        Purpose.PORTAL: _("The patient portal is closed immediately. The patient can reopen it."),
    }
    if state != ConsentState.WITHDRAWN or purpose not in texts or "sure" in request.POST:
        return None
    context = {
        "title": _("Withdraw: %(purpose)s") % {"purpose": purpose.label},
        "text": texts[purpose],
        "action": request.path,
        "fields": {"purpose": purpose.value, "state": int(state)},
        "back": back,
    }
    return render(request, "portal/confirm.html", context)

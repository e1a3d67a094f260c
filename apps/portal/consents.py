"""Consents as shown on the patient's and the clinician's pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.patients.access import permits
from apps.patients.models import Consent, ConsentState, Patient, Purpose


@dataclass(frozen=True)
class ConsentRow:
    """One purpose with its state, the latest decision, and whether processing is permitted."""

    purpose: Purpose
    state: ConsentState
    said: Consent | None
    permitted: bool

    @property
    def presumed(self) -> bool:
        """Whether permission rests on the hospital's policy instead of the patient's decision."""
        return self.permitted and self.state == ConsentState.NOT_STATED


def consent_rows(patient: Patient) -> list[ConsentRow]:
    """Return all purposes with the patient's decisions."""
    newest: dict[str, Consent] = {}
    for consent in patient.consents.select_related("recorded_by"):
        newest.setdefault(consent.purpose, consent)
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
    """Return a confirmation page for a withdrawal that closes access; None if confirmed or not needed."""
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

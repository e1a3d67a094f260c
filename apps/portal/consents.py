"""Consents as both the patient's and the doctor's page show them."""

from __future__ import annotations

from dataclasses import dataclass

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

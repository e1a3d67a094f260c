"""Recording patients' consent."""

from __future__ import annotations

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.patients.access import can
from apps.patients.models import Consent, ConsentState, Patient, Purpose


def record_consent(patient: Patient, purpose: Purpose, state: ConsentState, *, actor: Actor) -> Consent | None:
    """Record a consent decision; None if it equals the current one.

    Patients decide in the patient portal, or a physician of the care team records their decision.
    Withdrawing consent to care closes the record to its own care team.

    Raises:
        PermissionError: if the actor is neither the patient nor such a physician.
    """
    is_self = not isinstance(actor, System) and patient.portal_user_id == actor.pk
    if not (is_self or isinstance(actor, System) or can(actor, "patients.decide_for_patient", patient)):
        raise PermissionError("only the patient or a physician of the care team records consent")
    with transaction.atomic():
        locked = Patient.objects.select_for_update().get(pk=patient.pk)
        column = f"consent_{purpose.value}"
        if getattr(locked, column) == state:
            return None
        Patient.objects.filter(pk=patient.pk).update(**{column: state})
        consent = Consent.objects.create(
            patient=patient, purpose=purpose, state=state, recorded_by=None if isinstance(actor, System) else actor
        )
        audit.record(actor, "consent.recorded", patient, purpose=purpose.value, state=int(state))
    setattr(patient, column, int(state))
    return consent

"""Recording what patients consent to."""

from __future__ import annotations

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.patients.access import can
from apps.patients.models import Consent, ConsentState, Patient, Purpose


def record_consent(patient: Patient, purpose: Purpose, state: ConsentState, *, actor: Actor) -> Consent | None:
    """Store what the patient said; None if that is what holds already.

    The patient says it on the own page, or a physician of the care team writes down what was said.
    Withdrawn consent to care closes the record to its own care team.

    Raises:
        PermissionError: if the actor is neither.
    """
    own = not isinstance(actor, System) and patient.portal_user_id == actor.pk
    if not (own or isinstance(actor, System) or can(actor, "patients.decide_for_patient", patient)):
        raise PermissionError("the patient or a physician of the care team records consent")
    with transaction.atomic():
        locked = Patient.objects.select_for_update().get(pk=patient.pk)
        column = f"consent_{purpose.value}"
        if getattr(locked, column) == state:
            return None
        Patient.objects.filter(pk=patient.pk).update(**{column: state})
        said = Consent.objects.create(
            patient=patient, purpose=purpose, state=state, recorded_by=None if isinstance(actor, System) else actor
        )
        audit.record(actor, "consent.recorded", patient, purpose=purpose.value, state=int(state))
    setattr(patient, column, int(state))
    return said

"""Recording entries of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from apps.accounts import audit_chain
from apps.accounts.actors import Actor, System, origin
from apps.accounts.models import AuditEntry, Outcome
from apps.protection.models import SITE, SealedRecord, holder_name


def record(
    actor: Actor,
    action: str,
    subject: Model | None = None,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    patient: object | None = None,
    why: str = "",
    **facts: Any,
) -> None:
    """Append an entry. ``facts`` and ``why`` must contain no patient data, only ids, counts and codes.

    Args:
        patient: id of the patient concerned; derived from ``subject`` if that is a sealed record.
        why: code of the purpose.
    """
    entry = _entry(actor, action, subject, outcome, _patient_ref(subject, patient), why, facts)
    if connection.in_atomic_block:
        entry.save(force_insert=True)
        transaction.on_commit(audit_chain.link_waiting)
    else:
        with transaction.atomic():
            audit_chain.link_new(entry)


def record_all(actor: Actor, action: str, subjects: Sequence[Model], *, why: str = "", **facts: Any) -> None:
    """Append an entry for each subject, in the caller's transaction; see :func:`record`."""
    AuditEntry.objects.bulk_create(
        [
            _entry(actor, action, subject, Outcome.SUCCESS, _patient_ref(subject, None), why, facts)
            for subject in subjects
        ]
    )
    transaction.on_commit(audit_chain.link_waiting)


def _entry(
    actor: Actor,
    action: str,
    subject: Model | None,
    outcome: Outcome,
    patient_ref: str,
    why: str,
    facts: dict[str, Any],
) -> AuditEntry:
    here = origin()
    return AuditEntry(
        actor=None if isinstance(actor, System) else actor,
        role="" if isinstance(actor, System) else actor.role,
        system_reason=actor.reason if isinstance(actor, System) else "",
        action=action,
        outcome=outcome,
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=str(subject.pk) if subject is not None else "",
        patient_ref=patient_ref,
        why=why,
        source=here.source,
        session=here.session,
        facts=facts,
    )


def _patient_ref(subject: Model | None, patient: object | None) -> str:
    if patient is not None:
        return holder_name(patient)
    if isinstance(subject, SealedRecord) and (holder := subject.key_holder) != SITE:
        return holder
    return ""

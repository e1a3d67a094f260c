"""Writing the audit trail."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from apps.accounts.actors import Actor, System
from apps.accounts.models import AuditEntry


def record(actor: Actor, action: str, subject: Model | None = None, **facts: Any) -> None:
    """Add an entry. ``facts`` must hold no patient data: ids, counts, codes."""
    AuditEntry.objects.create(
        actor=None if isinstance(actor, System) else actor,
        system_reason=actor.reason if isinstance(actor, System) else "",
        action=action,
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=str(subject.pk) if subject is not None else "",
        facts=facts,
    )

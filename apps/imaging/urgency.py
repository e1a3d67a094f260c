"""Escalation of a study's urgency."""

from __future__ import annotations

import uuid

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.imaging.models import Study, Urgency


def raise_urgency(study_id: uuid.UUID, urgency: Urgency, *, actor: Actor, because: str) -> None:
    """Raise the study's urgency to at least this level; it is never lowered here."""
    if Study.objects.filter(pk=study_id, urgency__lt=urgency).update(urgency=urgency):
        audit.record(actor, "study.urgency_raised", Study.objects.only("pk").get(pk=study_id), because=because)

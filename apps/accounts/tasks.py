"""Periodic tasks of the audit trail."""

from __future__ import annotations

from apps.accounts import audit_chain
from apps.jobs.tasks import short_task


@short_task("accounts.checkpoint")
def checkpoint() -> None:
    """Link unlinked entries and sign the head of the chain."""
    audit_chain.checkpoint()

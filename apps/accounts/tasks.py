"""The clock's side of the audit trail."""

from __future__ import annotations

from apps.accounts import audit_chain
from apps.jobs.tasks import short_task


@short_task("accounts.checkpoint")
def checkpoint() -> None:
    """Link what was not linked, and sign the end of the chain."""
    audit_chain.checkpoint()

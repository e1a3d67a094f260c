"""The worker's side of mails."""

from __future__ import annotations

from apps.contact import appointments, mail
from apps.jobs.tasks import short_task


@short_task("contact.confirm_address")
def confirm_address(pk: str) -> None:
    """Ask the owner of an address."""
    mail.send_confirmation(pk)


@short_task("contact.tell")
def tell(pk: str) -> None:
    """Tell a patient that there is something new."""
    mail.send_notice(pk)


@short_task("contact.remind")
def remind() -> None:
    """Remind patients of appointments within a day."""
    appointments.remind_soon()

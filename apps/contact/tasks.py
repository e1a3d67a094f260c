"""Background tasks of e-mails and reminders."""

from __future__ import annotations

from apps.contact import appointments, mail
from apps.jobs.tasks import short_task


@short_task("contact.confirm_address")
def confirm_address(pk: str) -> None:
    """Send the confirmation link to a new address."""
    mail.send_confirmation(pk)


@short_task("contact.send_notice")
def send_notice(pk: str) -> None:
    """E-mail a patient that there is something new."""
    mail.send_notice(pk)


@short_task("contact.remind")
def remind() -> None:
    """Remind patients of appointments within a day."""
    appointments.remind_soon()

"""E-mail notifications without clinical content: that there is something new, never what.

Such an e-mail reveals that its recipient has an account here. So an address is used only after its owner has opened a
confirmation link, and the patient can remove it at any time.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.accounts.notifications import notify
from apps.contact.access import require_self
from apps.contact.models import EmailPreference
from apps.jobs.enqueue import enqueue
from apps.jobs.errors import UserError
from apps.patients.access import permits
from apps.patients.models import Patient, Purpose

SALT = "contact.mail"
LINK_VALIDITY = timedelta(days=2)
MIN_INTERVAL = timedelta(hours=1)


def set_email_preference(patient: Patient, address: str, *, actor: User) -> EmailPreference | None:
    """Set the address, or remove it if empty; a new address is sent a confirmation link.

    Raises:
        PermissionError: if it is not the patient's own record.
        UserError: ``mail_address``, or ``mail_off`` if the hospital sends no e-mails.
    """
    require_self(actor, patient)
    address = address.strip()
    if address and not settings.MAILS:
        raise UserError("mail_off")
    with transaction.atomic():
        if not address:
            if EmailPreference.objects.filter(patient=patient).delete()[0]:
                audit.record(actor, "mail.stopped", patient)
            return None
        try:
            validate_email(address)
        except ValidationError as problem:
            raise UserError("mail_address", reason=" ".join(problem.messages)) from None
        preference = EmailPreference.objects.select_related("patient").filter(
            patient=patient
        ).first() or EmailPreference(patient=patient)
        if not preference._state.adding and preference.address == address and preference.confirmed_at is not None:
            return preference
        preference.address, preference.language, preference.confirmed_at = address, get_language() or "en", None
        preference.save()
        audit.record(actor, "mail.wished", preference)
        enqueue("contact.confirm_address", preference.pk)
    return preference


def confirm(token: str) -> None:
    """Confirm an address by the token of its link.

    Raises:
        UserError: ``mail_link`` if the link has expired or the address has changed since.
    """
    try:
        payload = signing.loads(token, salt=SALT, max_age=LINK_VALIDITY)
    except signing.BadSignature:
        raise UserError("mail_link") from None
    row = EmailPreference.objects.select_related("patient").filter(pk=payload["wish"]).first()
    if row is None or _digest(row) != payload["address"]:
        raise UserError("mail_link")
    EmailPreference.objects.filter(pk=row.pk, confirmed_at=None).update(confirmed_at=timezone.now())


def notify_patient(patient: Patient, code: str) -> None:
    """Notify the patient in the portal and, if the patient wants that, by e-mail without clinical content."""
    if patient.portal_user is not None and permits(patient, Purpose.PORTAL):
        if not patient.portal_user.notices.filter(code=code, read_at=None).exists():  # one unread notification per code
            notify([patient.portal_user], code)
        remind(patient)


def remind(patient: Patient) -> None:
    """Queue an e-mail to the patient, if wanted and none was sent within the last hour."""
    due = Q(told_at=None) | Q(told_at__lt=timezone.now() - MIN_INTERVAL)
    row = EmailPreference.objects.filter(due, patient=patient, confirmed_at__isnull=False).first()
    if row is not None and EmailPreference.objects.filter(due, pk=row.pk).update(told_at=timezone.now()):
        enqueue("contact.send_notice", row.pk)


def send_confirmation(pk: str) -> None:
    """Send the e-mail with the confirmation link."""
    row = EmailPreference.objects.select_related("patient").filter(pk=pk, confirmed_at=None).first()
    if row is None:
        return
    token = signing.dumps({"wish": str(row.pk), "address": _digest(row)}, salt=SALT)
    with translation.override(row.language):
        link = settings.SITE_URL + reverse("contact:confirm", args=[token])
        _send(
            row,
            _("Please confirm your e-mail address"),
            _("Someone, we hope you, asked for notifications at this address when there is something new "
              "in the patient portal of %(hospital)s. If this was you, open this link within two days:")
            % {"hospital": settings.HOSPITAL_NAME}
            + f"\n\n{link}\n\n" + _("If this was not you, ignore this message. You will receive no further e-mails."),
        )  # fmt: skip


def send_notice(pk: str) -> None:
    """Send the e-mail that there is something new."""
    row = EmailPreference.objects.select_related("patient").filter(pk=pk, confirmed_at__isnull=False).first()
    if row is None or not permits(row.patient, Purpose.PORTAL):
        return
    with translation.override(row.language):
        _send(
            row,
            _("There is something new in your patient portal"),
            _("There is something new in your patient portal at %(hospital)s. To protect your privacy, "
              "this e-mail does not say what it is. Sign in to read it:") % {"hospital": settings.HOSPITAL_NAME}
            + f"\n\n{settings.SITE_URL}{reverse('portal:patient')}\n",
        )  # fmt: skip


def _send(row: EmailPreference, subject: str, text: str) -> None:
    send_mail(subject, text, None, [row.address])


def _digest(row: EmailPreference) -> str:
    return signing.Signer(salt=SALT).signature(row.address)

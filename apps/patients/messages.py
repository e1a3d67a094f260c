"""Messages and notifications about patient records, by code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "emergency_reason": _("State why you need the record now, in at least %(least)s characters."),
    "emergency_not_found": _("No record has exactly this MRN and issuer. Check both; this attempt has been logged."),
    "emergency_too_many": _("Too many attempts without a match. Wait an hour, or call the patient's care team."),
    "emergency_not_needed": _("You already have access to this record. Find it in your worklist."),
    "emergency_opened_team": _("%(who)s opened a record of your care team by break-glass access."),
    "emergency_opened_auditor": _("%(who)s opened a record by break-glass access. It awaits your review."),
    "emergency_justified": _("Your break-glass access on %(on)s was reviewed: justified."),
    "emergency_unjustified": _(
        "Your break-glass access on %(on)s was reviewed: not justified. The auditor will contact you."
    ),
    "hold_reason": _("State why the record must be kept."),
    "erasure_held": _("The record is under %(number)s legal holds and cannot be erased. Lift them first."),
    "account_not_patient": _("Only a patient account can be linked to a record. Create one under Accounts first."),
    "account_taken": _("This account is already linked to another record. Unlink it there first."),
    "no_ai_consent": _("The patient has not consented to analysis by AI models, so no analysis was started."),
}

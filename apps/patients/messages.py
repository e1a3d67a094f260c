"""Why something about a record cannot be done, and notices about it."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "emergency_reason": _("State why you need the record now, in at least %(least)s letters."),
    "emergency_not_found": _(
        "There is no record with exactly this MRN and issuer. Check both; this attempt is logged."
    ),
    "emergency_too_many": _("Too many attempts without a match. Wait an hour, or call the record's care team."),
    "emergency_not_needed": _("You see this record already: look for it in your worklist."),
    "emergency_opened_team": _("%(who)s opened a record of your care team by emergency access."),
    "emergency_opened_auditor": _("%(who)s opened a record by emergency access. It waits for your review."),
    "emergency_justified": _("Your emergency access of %(on)s was reviewed: justified."),
    "emergency_unjustified": _(
        "Your emergency access of %(on)s was reviewed: not justified. The auditor will contact you."
    ),
    "hold_reason": _("State why the record must be kept."),
    "erasure_held": _("The record must be kept: %(number)s legal holds forbid erasing it. Lift them first."),
    "account_not_patient": _("Only a patient's account can be linked to a record. Make one under Accounts first."),
    "account_taken": _("This account is linked to another record. Unlink it there first."),
    "no_ai_consent": _("The patient has not consented to analysis by computer models, so none was started."),
}

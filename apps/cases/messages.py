"""Messages of cases."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "case_changed": _("Somebody changed the case meanwhile. Look at the differences and decide."),
    "case_merge_other": _("Only two open cases of one patient can be merged."),
    "document_type": _("Only PDF, PNG, JPEG and plain text can be added; DICOM images go to Upload."),
    "document_too_large": _("The file is too large: at most %(most)s MiB."),
    "referral_open": _("This team has been asked already and has not answered yet."),
    "referral_own": _("This team cares for the patient already: mention somebody in a comment instead."),
    "case_mentioned": _("%(who)s mentioned you in case %(case)s."),
    "case_assigned": _("%(who)s assigned case %(case)s to you."),
    "case_task": _("%(who)s gave you a task in case %(case)s."),
    "case_handed_over": _("%(who)s handed case %(case)s over to you. Accept it on its page."),
    "case_referred": _("%(who)s asks your team for a second opinion on case %(case)s."),
    "case_answered": _("%(who)s answered your referral in case %(case)s."),
}

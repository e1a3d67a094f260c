"""Messages of cases."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "case_changed": _("Someone else changed this case while you were editing. Review the differences and decide."),
    "case_merge_other": _("You can only merge two open cases of the same patient."),
    "document_type": _("Only PDF, PNG, JPEG and plain text files can be added. Add DICOM images on the Upload page."),
    "document_too_large": _("The file is too large: the limit is %(most)s MiB."),
    "referral_open": _("This team has already been asked and has not answered yet."),
    "referral_own": _("This team already cares for the patient. Mention a colleague in a comment instead."),
    "case_mentioned": _("%(who)s mentioned you in case %(case)s."),
    "case_assigned": _("%(who)s assigned case %(case)s to you."),
    "case_task": _("%(who)s assigned you a task in case %(case)s."),
    "case_handed_over": _("%(who)s handed over case %(case)s to you. Open the case to accept it."),
    "case_referred": _("%(who)s requests a second opinion from your team on case %(case)s."),
    "case_answered": _("%(who)s answered your second-opinion request in case %(case)s."),
}

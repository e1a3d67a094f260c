"""Why an explanation is not given."""

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    "not_checked": _("The explanation has not been checked yet: wait until it is."),
    "weak_explanation": _("A weak explanation is not shown to patients: it could mislead."),
    "result_to_read": _("A result is ready for you on your page."),
}

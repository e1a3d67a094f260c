"""Why an explanation is not given."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "not_checked": _("The explanation has not been checked yet: wait until it is."),
    "volume_changed": _(
        "Slices were added to the series since the model looked at it; the newer analysis is explained."
    ),
    "weak_explanation": _("A weak explanation is not shown to patients: it could mislead."),
    "result_to_read": _("A result is ready for you on your page."),
}

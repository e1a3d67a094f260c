"""Messages of explanations."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "not_checked": _("The explanation has not been checked yet. Wait until the check is complete."),
    "volume_changed": _(
        "Slices have been added to the series since this analysis. See the explanation of the newer analysis."
    ),
    "weak_explanation": _("Weak explanations are not shown to patients because they could mislead."),
    "result_to_read": _("A new result is ready in your patient portal."),
}

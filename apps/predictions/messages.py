"""Messages of predictions and alarms."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "too_few_values": _("Not enough data: the model needs at least one measurement from the first %(hours)s hours."),
    "too_early": _("The model gives predictions from hour %(hours)s after admission."),
    "nothing_to_fuse": _("No images, notes or measurements have been assessed yet."),
    "case_alarm": _("An alarm was raised in case %(case)s."),
}

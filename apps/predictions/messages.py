"""Messages of predictions and alarms."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "too_few_values": _(
        "There is too little to reckon with: the model needs at least one value of the first %(hours)s hours."
    ),
    "too_early": _("The model answers from hour %(hours)s after admission on."),
    "nothing_to_fuse": _("Neither images nor notes nor values have been assessed yet."),
    "case_alarm": _("An alarm was raised in case %(case)s."),
}

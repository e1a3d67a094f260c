"""Labels of observations."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

GROUPS = {
    "vitals": _("Vital signs"),
    "blood": _("Blood count and inflammation markers"),
    "chemistry": _("Clinical chemistry"),
    "gas": _("Blood gases"),
    "habits": _("Habits"),
}
FLAGS = {"low": _("low"), "high": _("high"), "": ""}

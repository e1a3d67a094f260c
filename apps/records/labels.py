"""Labels of observations."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

GROUPS = {
    "vitals": _("Vital signs"),
    "blood": _("Blood count and inflammation markers"),
    "coagulation": _("Coagulation"),
    "chemistry": _("Clinical chemistry"),
    "hormones": _("Hormones"),
    "levels": _("Drug and toxin levels"),
    "gas": _("Blood gases"),
    "urine": _("Urine"),
    "csf": _("Cerebrospinal fluid"),
    "cardiac": _("Heart"),
    "lung": _("Lung function"),
    "habits": _("Habits"),
    "other": _("Other measurements"),
}
FLAGS = {"low": _("low"), "high": _("high"), "": ""}

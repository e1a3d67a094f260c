"""Labels of what is extracted from notes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SECTIONS = {
    "": _("Text"),
    "complaint": _("Chief complaint"),
    "history": _("History"),
    "past": _("Past medical history"),
    "family": _("Family history"),
    "social": _("Social history"),
    "allergies": _("Allergies"),
    "medications": _("Medications"),
    "review": _("Review of systems"),
    "exam": _("Physical examination"),
    "findings": _("Findings"),
    "impression": _("Impression"),
    "plan": _("Plan"),
    "procedure": _("Procedure"),
}
KINDS = {
    "problem": _("Problems"),
    "symptom": _("Signs and symptoms"),
    "drug": _("Medication"),
    "measurement": _("Measurements"),
    "no-known": _("Allergies"),
    "anatomy": _("Anatomy"),
}
LATERALITIES = {"left": _("left"), "right": _("right"), "bilateral": _("both sides")}
COMPARED = {
    "new": pgettext_lazy("finding", "new"),
    "larger": _("larger than before"),
    "smaller": _("smaller than before"),
    "unchanged": _("unchanged"),
    "improved": _("improved"),
    "worse": _("worse"),
}
"""How a finding compares with earlier."""
ASSERTIONS = {
    "negated": _("denied or absent"),
    "uncertain": _("uncertain"),
    "historical": _("past history"),
    "family": _("family history"),
    "absent": _("denied or absent"),
    "possible": _("possible"),
    "conditional": _("only under a condition"),
    "hypothetical": _("not stated: a risk, a test or prevention"),
    "other-person": _("of another person"),
}
"""What a note says of a mention, and the columns that older extractions have instead."""

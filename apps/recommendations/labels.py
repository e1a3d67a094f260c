"""Labels of the ranker's features and of events."""

from django.utils.translation import gettext_lazy as _

FEATURES = {
    "age": _("Age"),
    "female": _("Sex"),
    "smoker": _("Smoking"),
    "problems": _("Number of problems"),
    "medications": _("Number of medications"),
    "diabetes": _("Diabetes"),
    "hypertension": _("High blood pressure"),
    "heart": _("Heart disease"),
    "lung": _("Lung disease"),
    "cancer": _("Cancer"),
    "mental": _("Mood and anxiety"),
    "infection": _("Recent infection"),
    "history": _("This patient's earlier choices"),
}
UNITS = {
    "a": _("years"),
    "mo": _("months"),
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "{pack-years}": "",
}
"""UCUM units in display form."""
STEPS = {
    "proposed": _("Proposed by guideline rules"),
    "approved": _("Approved"),
    "edited": _("Wording changed"),
    "rejected": _("Rejected"),
    "released": _("Released to the patient"),
    "seen": _("Opened by the patient"),
    "accepted": _("Accepted by the patient"),
    "declined": _("Declined by the patient"),
    "done": _("Done"),
    "helpful": _("The patient says it helped"),
    "not_helpful": _("The patient says it did not help"),
    "expired": _("Expired"),
    "recalled": _("Recalled"),
    "cds": _("Answered in another system (CDS Hooks)"),
}

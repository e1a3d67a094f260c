"""Forms of the patient record."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.records.models import StatementKind
from apps.terminology.localisation import in_language
from apps.terminology.loinc import catalogue

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def observation_choices() -> list[tuple[str, str]]:
    """Return codes and titles of all measurements."""
    return [(code, f"{in_language(measure.title)} ({measure.unit})") for code, measure in catalogue().items()]


class StatementForm(forms.Form):
    """A problem, allergy or medication."""

    kind = forms.ChoiceField(label=_("Type"), choices=StatementKind.choices)
    text = forms.CharField(
        label=_("Condition, allergen or drug"),
        max_length=300,
        widget=forms.TextInput(attrs={"list": "codes", "autocomplete": "off"}),
    )
    dose = forms.CharField(label=_("Dose or reaction"), max_length=120, required=False)
    since = forms.DateField(label=_("Since"), widget=DAY, required=False)


class ValueForm(forms.Form):
    """Entry of one value."""

    code = forms.ChoiceField(label=_("Measurement"), choices=observation_choices)
    value = forms.CharField(
        label=_("Value"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    unit = forms.CharField(
        label=_("Unit"), max_length=20, required=False, help_text=_("Leave empty to use the listed unit.")
    )
    at = forms.DateTimeField(label=_("Measured at"), widget=MOMENT)


class FileForm(forms.Form):
    """Upload of a file of values."""

    file = forms.FileField(label=_("File"))

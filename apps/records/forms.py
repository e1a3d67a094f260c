"""Forms of the patient record."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.records.dosage_words import stored_dose, stored_frequency, stored_route
from apps.records.models import (
    STATUSES,
    AllergyType,
    Certainty,
    Intent,
    NoKnown,
    Severity,
    StatementKind,
    StatementStatus,
)
from apps.terminology.localisation import in_language
from apps.terminology.loinc import catalogue
from apps.terminology.quantities import shown

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
UNSAID = ("", _("Not stated"))
FIELDS = {
    StatementKind.PROBLEM: ("onset", "ended_as_stated"),
    StatementKind.ALLERGY: ("type", "reaction", "severity", "certainty", "no_known", "onset"),
    StatementKind.MEDICATION: ("dose", "route", "frequency", "intent", "ended_as_stated"),
}
"""Fields of one kind of statement only."""
WORDS = {
    StatementKind.PROBLEM: pgettext_lazy("statement", "Condition"),
    StatementKind.ALLERGY: _("Allergen"),
    StatementKind.MEDICATION: _("Drug"),
}
CODE_HELP = {
    StatementKind.PROBLEM: _("ICD-10-CM. Leave empty if none says exactly this."),
    StatementKind.ALLERGY: _("RxNorm. Leave empty if none says exactly this."),
    StatementKind.MEDICATION: _("RxNorm. Leave empty if none says exactly this."),
}


def observation_choices() -> list[tuple[str, str]]:
    """Return codes and titles of all measurements."""
    return [
        (
            code,
            f"{in_language(measure.title)} ({unit})" if (unit := shown(measure.unit)) else in_language(measure.title),
        )
        for code, measure in catalogue().items()
    ]


class StatementForm(forms.Form):
    """A problem, allergy or medication.

    Args:
        for_kind: leave out the fields of other kinds.
        fixed: the kind cannot be changed; whatever is sent for it is ignored.
    """

    kind = forms.ChoiceField(label=_("Type"), choices=StatementKind.choices)
    text = forms.CharField(
        label=_("Condition, allergen or drug"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"list": "codes", "autocomplete": "off"}),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        required=False,
        help_text=_("ICD-10-CM or RxNorm. Leave empty if none says exactly this."),
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[choice for choice in StatementStatus.choices if choice[0] != StatementStatus.ERROR],
    )
    dose = forms.CharField(label=_("Dose"), max_length=120, required=False, help_text=_("With its unit: 50 mg"))
    route = forms.CharField(label=_("Route"), max_length=60, required=False)
    frequency = forms.CharField(label=_("Frequency"), max_length=120, required=False)
    intent = forms.ChoiceField(label=_("Intent"), choices=[UNSAID, *Intent.choices], required=False)
    type = forms.ChoiceField(label=_("Kind of reaction"), choices=[UNSAID, *AllergyType.choices], required=False)
    reaction = forms.CharField(label=_("Reaction"), max_length=120, required=False)
    severity = forms.ChoiceField(label=_("Severity"), choices=[UNSAID, *Severity.choices], required=False)
    certainty = forms.ChoiceField(label=_("Certainty"), choices=[UNSAID, *Certainty.choices], required=False)
    no_known = forms.ChoiceField(
        label=_("No known allergies"), choices=[("", _("An allergy is known")), *NoKnown.choices], required=False
    )
    onset = forms.CharField(label=_("Began (as stated)"), max_length=60, required=False)
    ended_as_stated = forms.CharField(label=_("Ended (as stated)"), max_length=60, required=False)
    since = forms.DateField(label=_("Since"), widget=DAY, required=False)
    ended = forms.DateField(label=_("Ended"), widget=DAY, required=False)

    def __init__(self, *args: Any, for_kind: str = "", fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if for_kind and fixed:
            self.initial["kind"] = for_kind
            self.fields["kind"].widget, self.fields["kind"].disabled = forms.HiddenInput(), True
            self.fields["text"].label = WORDS[StatementKind(for_kind)]
            self.fields["code"].help_text = CODE_HELP[StatementKind(for_kind)]
        if for_kind:
            own = FIELDS[StatementKind(for_kind)]
            for name in {name for names in FIELDS.values() for name in names if name not in own}:
                del self.fields[name]
            kept = STATUSES[StatementKind(for_kind)]
            field = self.fields["status"]
            field.choices = [(status.value, status.label) for status in kept]  # type: ignore[attr-defined]

    def clean_dose(self) -> str:
        """The dose in its stored spelling."""
        return stored_dose(self.cleaned_data["dose"])

    def clean_route(self) -> str:
        """Store one spelling for all languages."""
        return stored_route(self.cleaned_data["route"])

    def clean_frequency(self) -> str:
        """Store one spelling for all languages."""
        return stored_frequency(self.cleaned_data["frequency"])

    def clean(self) -> dict[str, Any]:
        """Refuse what belongs to another kind: it would be lost."""
        data = super().clean() or {}
        kind = data.get("kind")
        if kind not in StatementKind.values:
            return data
        for other, names in FIELDS.items():
            for name in names:
                if data.get(name) and name not in FIELDS[StatementKind(kind)]:
                    self.add_error(name, _("This belongs to: %(kind)s.") % {"kind": other.label})
        if not data.get("text") and not data.get("no_known"):
            self.add_error("text", _("Enter the condition, the allergen or the drug."))
        if data.get("status") and data["status"] not in STATUSES[StatementKind(kind)]:
            self.add_error("status", _("This kind of entry cannot have this status."))
        return data


class OverrideForm(forms.Form):
    """Why a drug is recorded despite warnings."""

    override = forms.CharField(label=_("Reason for recording it anyway"), max_length=300)


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

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.inference.models import Verdict


class ReviewForm(forms.Form):
    """A doctor's review of a finding."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    correction = forms.CharField(max_length=64, required=False)
    comment = forms.CharField(max_length=2000, required=False, widget=forms.Textarea)


class EmergencyForm(forms.Form):
    """Request for break-glass access to a record."""

    mrn = forms.CharField(label=_("MRN"), max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    issuer = forms.CharField(
        label=_("Issuer of the MRN"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("The hospital that issued the MRN, if the images state one."),
    )
    reason = forms.CharField(
        label=_("Why do you need it now?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

from django import forms
from django.utils.translation import gettext_lazy as _

_QUIET = {"autocomplete": "off"}


class FindForm(forms.Form):
    """The record that a letter names."""

    mrn = forms.CharField(label=_("MRN"), max_length=64, widget=forms.TextInput(attrs=_QUIET))
    issuer = forms.CharField(
        label=_("Issuer of the MRN"), max_length=64, required=False, widget=forms.TextInput(attrs=_QUIET)
    )


class EraseForm(forms.Form):
    """The last question before an erasure."""

    mrn = forms.CharField(label=_("Type the MRN again"), max_length=64, widget=forms.TextInput(attrs=_QUIET))


class HoldForm(forms.Form):
    """Why a record must be kept."""

    reason = forms.CharField(label=_("Why must it be kept?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

_QUIET = {"autocomplete": "off"}


class FindForm(forms.Form):
    """Look-up of a record by the MRN in a patient's written request."""

    mrn = forms.CharField(label=_("MRN"), max_length=64, widget=forms.TextInput(attrs=_QUIET))
    issuer = forms.CharField(
        label=_("Issuer of the MRN"), max_length=64, required=False, widget=forms.TextInput(attrs=_QUIET)
    )


class LoginForm(forms.Form):
    """Account linked to the record; empty unlinks it."""

    username = forms.CharField(
        label=_("The patient's username"), max_length=150, required=False, widget=forms.TextInput(attrs=_QUIET)
    )

    def clean_username(self) -> User | None:
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(username=name, is_active=True).first()
        if name and user is None:
            raise forms.ValidationError(
                _("There is no active account with this username. Create one under Accounts first.")
            )
        return user


class EraseForm(forms.Form):
    """Confirmation of an erasure."""

    mrn = forms.CharField(label=_("Type the MRN again to confirm"), max_length=64, widget=forms.TextInput(attrs=_QUIET))


class HoldForm(forms.Form):
    """Reason of a legal hold."""

    reason = forms.CharField(
        label=_("Reason for the legal hold"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

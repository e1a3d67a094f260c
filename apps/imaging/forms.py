from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam, Role, User
from apps.imaging.models import QuarantinedFile
from apps.patients.identity import Identity
from apps.patients.models import Sex

_QUIET = {"autocomplete": "off"}
_DELIMITERS = re.compile(r"[\^=\\]")
"""Of a person name's components, groups and values (PS3.5 section 6.2.1)."""


class SearchForm(forms.Form):
    """Search for the record to which a quarantined file belongs."""

    search = forms.CharField(label=_("MRN or name"), max_length=200, widget=forms.TextInput(attrs=_QUIET))


class RegisterForm(forms.Form):
    """The record of a patient who has none, filled in with what the file says."""

    mrn = forms.CharField(label=_("MRN"), max_length=64, widget=forms.TextInput(attrs=_QUIET))
    issuer = forms.CharField(
        label=_("Issuer of the MRN"), max_length=64, required=False, widget=forms.TextInput(attrs=_QUIET)
    )
    family_name = forms.CharField(
        label=_("Family name"), max_length=100, required=False, widget=forms.TextInput(attrs=_QUIET)
    )
    given_name = forms.CharField(
        label=_("Given name"), max_length=100, required=False, widget=forms.TextInput(attrs=_QUIET)
    )
    birth_date = forms.DateField(
        label=_("Date of birth"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices, required=False)
    care_team = forms.ModelChoiceField(
        label=_("Care team"), queryset=CareTeam.objects.none(), help_text=_("Its members will see the record.")
    )

    def __init__(self, data: Any, *, quarantined: QuarantinedFile, user: User) -> None:
        self._claimed = quarantined.claimed_name
        said, names = quarantined.headers or {}, [*self._claimed.partition("=")[0].split("^"), ""]
        initial = {
            "mrn": "" if quarantined.patient_id else said.get("patient_id", ""),
            "family_name": names[0].strip(),
            "given_name": names[1].strip(),
            "birth_date": quarantined.claimed_birth_date,
            "sex": said.get("sex", ""),
        }
        teams = CareTeam.objects.all() if user.role == Role.ADMIN else CareTeam.objects.filter(members=user)
        if len(teams) == 1:
            initial["care_team"] = teams[0].pk
        super().__init__(data, initial=initial)
        self.fields["care_team"].queryset = teams  # type: ignore[attr-defined]

    def identity(self) -> Identity:
        """Return the patient's identity; the file's name keeps its other parts and scripts if it was not changed."""
        said = self.cleaned_data
        family, given = (_DELIMITERS.sub(" ", said[field]).strip() for field in ("family_name", "given_name"))
        name = f"{family}^{given}".strip("^")
        same = all(said[field] == self.initial[field] for field in ("family_name", "given_name"))
        return Identity(
            said["mrn"].strip(),
            said["issuer"].strip(),
            self._claimed if same else name,
            said["birth_date"],
            said["sex"],
        )

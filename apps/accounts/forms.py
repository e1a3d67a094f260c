from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import STAFF, CareTeam, Role, Scope, User
from apps.accounts.tokens import MAX_TOKEN_DAYS


class TokenForm(forms.Form):
    """Form for a new API token."""

    name = forms.CharField(label=_("Purpose"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=MAX_TOKEN_DAYS, initial=30)


class UserForm(forms.Form):
    """Form for an account, used by administrators."""

    username = forms.RegexField(
        label=_("Username"),
        regex=r"^[\w.@+-]{1,150}$",
        help_text=_(
            "For a patient, use a number or an invented word, never the real name: usernames are not encrypted."
        ),
    )
    staff_name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("Staff only."))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    teams = forms.ModelMultipleChoiceField(
        label=_("Care teams"), queryset=CareTeam.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    is_active = forms.BooleanField(label=_("Can sign in"), required=False, initial=True)

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        if user is not None:
            kwargs.setdefault("initial", {}).update(
                username=user.username,
                staff_name=user.staff_name,
                role=user.role,
                teams=list(user.care_teams.values_list("pk", flat=True)),
                is_active=user.is_active,
            )
        super().__init__(*args, **kwargs)
        self.user = user
        if user is not None:
            self.fields["username"].disabled = True

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if self.user is None and User.objects.filter(username=username).exists():
            raise forms.ValidationError(_("This username is already taken."))
        return username

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("role") not in STAFF:
            cleaned["staff_name"] = ""
        elif not cleaned.get("staff_name"):
            self.add_error("staff_name", _("Enter a name: patients can see which staff viewed their record."))
        return cleaned


class TeamForm(forms.Form):
    """Form for a care team."""

    name = forms.CharField(label=_("Name"), max_length=120)
    members = forms.ModelMultipleChoiceField(
        label=_("Members"),
        queryset=User.objects.filter(role__in=[Role.DOCTOR, Role.RADIOLOGIST, Role.NURSE]).order_by("staff_name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, team: CareTeam | None = None, **kwargs: Any) -> None:
        if team is not None:
            kwargs.setdefault("initial", {}).update(
                name=team.name, members=list(team.members.values_list("pk", flat=True))
            )
        super().__init__(*args, **kwargs)
        self.team = team

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        same_name = CareTeam.objects.filter(name=name)
        if (same_name.exclude(pk=self.team.pk) if self.team else same_name).exists():
            raise forms.ValidationError(_("A care team with this name already exists."))
        return name

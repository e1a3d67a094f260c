from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Outcome
from apps.patients.models import BreakGlassAccess


class TrailFilter(forms.Form):
    """Filter of the audit trail."""

    action = forms.CharField(label=_("Action"), max_length=60, required=False)
    user = forms.CharField(label=_("Account"), max_length=150, required=False)
    record = forms.CharField(label=_("Record number"), max_length=36, required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), choices=[("", _("All")), *Outcome.choices], required=False)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("to"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class VerdictForm(forms.Form):
    """Verdict on a break-glass access."""

    verdict = forms.ChoiceField(
        label=_("Your assessment"),
        choices=[choice for choice in BreakGlassAccess.Review.choices if choice[0]],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Remarks"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

"""Forms of predictions."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.predictions.alarms import RISK
from apps.records.forms import observation_choices


def _risk_or_measures() -> list[tuple[str, str]]:
    return [(RISK, str(_("In-hospital mortality risk, %"))), *observation_choices()]


class RuleForm(forms.Form):
    """An alarm rule of a care team."""

    what = forms.ChoiceField(label=_("Measurement"), choices=_risk_or_measures)
    above = forms.FloatField(label=_("Above"), required=False)
    below = forms.FloatField(label=_("Below"), required=False)

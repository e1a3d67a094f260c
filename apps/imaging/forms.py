from django import forms
from django.utils.translation import gettext_lazy as _

from apps.imaging.models import Decision


class DecisionForm(forms.Form):
    """Form for the decision on a quarantined file."""

    decision = forms.ChoiceField(label=_("Decision"), choices=Decision.choices, widget=forms.RadioSelect)

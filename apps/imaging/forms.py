from django import forms
from django.utils.translation import gettext_lazy as _

from apps.imaging.models import Decision


class DecisionForm(forms.Form):
    """What a doctor says of a file that was put aside."""

    decision = forms.ChoiceField(label=_("Decision"), choices=Decision.choices, widget=forms.RadioSelect)

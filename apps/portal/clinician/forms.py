from django import forms

from apps.inference.models import Verdict


class ReviewForm(forms.Form):
    """A doctor's word on a finding."""

    verdict = forms.ChoiceField(choices=Verdict.choices)
    correction = forms.CharField(max_length=64, required=False)
    comment = forms.CharField(max_length=2000, required=False, widget=forms.Textarea)

"""Forms of notes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.notes.models import NoteKind


class AnyText(forms.CharField):
    """A text field without character checks: ``editing.cleaned`` does them, so that every caller gets one message."""

    def run_validators(self, value: Any) -> None:
        """Run none: Django's own would reject control characters with a different message."""


class NoteForm(forms.Form):
    """A note. ``editing.cleaned`` checks length and characters, so that every caller gets the same message."""

    kind = forms.ChoiceField(label=_("Type"), choices=NoteKind.choices, required=False)
    text = AnyText(
        label=_("Text"),
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "data-draft": "", "spellcheck": "true"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)


class ObservationLineForm(forms.Form):
    """A value found in a note, as written."""

    code = forms.CharField(widget=forms.HiddenInput)
    value = forms.CharField(label=_("Value"), max_length=40)
    unit = forms.CharField(label=_("Unit"), max_length=30, required=False)

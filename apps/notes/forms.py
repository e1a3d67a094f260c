"""Forms of notes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.notes.models import NoteKind


class AnyText(forms.CharField):
    """A text whose signs are judged where it is kept, so that the reason is the same everywhere."""

    def run_validators(self, value: Any) -> None:
        """None here: Django's own would refuse control signs in other words."""


class NoteForm(forms.Form):
    """A note. Its length and signs are checked where it is kept, so that the reason is the same everywhere."""

    kind = forms.ChoiceField(label=_("Type"), choices=NoteKind.choices, required=False)
    text = AnyText(
        label=_("Text"),
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "data-draft": "", "spellcheck": "true"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

"""Forms of explanations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.explainability.models import Method


class MethodForm(forms.Form):
    """By which method to explain."""

    method = forms.TypedChoiceField(label=_("Method"), choices=Method.choices, coerce=Method)

    def __init__(self, *args: Any, taken: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        left = [(value, words) for value, words in Method.choices if value not in set(taken)]
        self.fields["method"].choices = left  # type: ignore[attr-defined]

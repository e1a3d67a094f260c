"""Forms of explanations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.explainability.explainers.image.methods import methods_for
from apps.explainability.models import Method
from apps.terminology.localisation import in_language


class MethodForm(forms.Form):
    """Choice of an explanation method."""

    method = forms.TypedChoiceField(label=_("Method"), choices=Method.choices, coerce=Method)

    def __init__(self, *args: Any, task: str, taken: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        possible = set(methods_for(task)) - set(taken)
        left = [(value, words) for value, words in Method.choices if value in possible]
        self.fields["method"].choices = left  # type: ignore[attr-defined]


class TellForm(forms.Form):
    """The explanation for the patient."""

    sentence = forms.CharField(label=_("In plain words"), widget=forms.Textarea(attrs={"rows": 4}), max_length=1500)


class RowForm(forms.Form):
    """A row of a tabular package: one field per feature, prefilled with typical values."""

    def __init__(self, *args: Any, features: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for feature in features:
            label = in_language(feature["title"]) + (f" ({feature['unit']})" if feature["unit"] else "")
            if "choices" in feature:
                choices = [(choice["value"], in_language(choice["title"])) for choice in feature["choices"]]
                field: forms.Field = forms.TypedChoiceField(label=label, choices=choices, coerce=float)
            else:
                seen = _("Range in training: %(low)g to %(high)g") % feature
                field = forms.FloatField(label=label, initial=feature["typical"], help_text=seen)
                field.widget.attrs["step"] = "any"
            self.fields[feature["code"]] = field

    @property
    def given(self) -> dict[str, Any]:
        """The input as the explainers take it."""
        return {"row": dict(self.cleaned_data)}


class TextForm(forms.Form):
    """Input of a text package."""

    text = forms.CharField(
        label=_("Text"),
        widget=forms.Textarea(attrs={"rows": 6}),
        max_length=4000,
        help_text=_("Do not enter patient data."),
    )

    @property
    def given(self) -> dict[str, Any]:
        """The input as the explainers take it."""
        return {"text": self.cleaned_data["text"]}

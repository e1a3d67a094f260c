"""Forms of recommendations and their catalogue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.recommendations.guidelines.rule_engine import URGENCIES
from apps.recommendations.models import CareItem, ItemKind, Urgency

_ROWS = forms.Textarea(attrs={"rows": 3})


class WordsForm(forms.Form):
    """The wording for the patient."""

    patient_text_en = forms.CharField(label=_("Why, in plain language (English)"), widget=_ROWS, max_length=2000)
    what_to_do_en = forms.CharField(label=_("What to do (English)"), widget=_ROWS, max_length=2000)
    patient_text_zh = forms.CharField(
        label=_("Why, in plain language (Chinese)"), widget=_ROWS, max_length=2000, required=False
    )
    what_to_do_zh = forms.CharField(label=_("What to do (Chinese)"), widget=_ROWS, max_length=2000, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def words(self) -> dict[str, dict[str, str]]:
        """The texts as input of :func:`apps.recommendations.review.edit`."""
        data = self.cleaned_data
        return {
            part: {"en": data[f"{part}_en"], "zh-hans": data[f"{part}_zh"]} for part in ("patient_text", "what_to_do")
        }


class ItemForm(forms.Form):
    """A care item."""

    code = forms.SlugField(
        label=_("Code"),
        max_length=60,
        help_text=_("Lowercase letters, digits and hyphens. It cannot be changed later."),
    )
    kind = forms.ChoiceField(label=_("Type"), choices=ItemKind.choices)
    title_en = forms.CharField(label=_("Title (English)"), max_length=200)
    title_zh = forms.CharField(label=_("Title (Chinese)"), max_length=200)
    patient_text_en = forms.CharField(
        label=_("Why, in plain language (English)"),
        widget=_ROWS,
        max_length=2000,
        help_text=_("Reading level of grade 8 at most: short words, short sentences."),
    )
    patient_text_zh = forms.CharField(label=_("Why, in plain language (Chinese)"), widget=_ROWS, max_length=2000)
    what_to_do_en = forms.CharField(label=_("What to do (English)"), widget=_ROWS, max_length=2000)
    what_to_do_zh = forms.CharField(label=_("What to do (Chinese)"), widget=_ROWS, max_length=2000)
    contraindications = forms.JSONField(
        label=_("Contraindications"),
        required=False,
        initial=list,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_('A JSON list of {"condition": FHIRPath, "reason": {"en": …, "zh-hans": …}}.'),
    )
    after = forms.ModelMultipleChoiceField(
        label=_("Prerequisites"),
        queryset=CareItem.objects.filter(withdrawn_at=None),
        required=False,
        to_field_name="code",
        help_text=_("Items that must be completed first."),
    )
    clinicians_only = forms.BooleanField(label=_("For clinicians only"), required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, *args: Any, item: CareItem | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item
        if item is not None:
            self.fields["code"].widget.attrs["readonly"] = True
            content = item.content
            self.initial.update(
                {
                    "code": item.code,
                    "kind": item.kind,
                    "clinicians_only": item.clinicians_only,
                    "revision": item.revision,
                    "contraindications": content.get("contraindications", []),
                    "after": content.get("after", []),
                }
            )
            for part in ("title", "patient_text", "what_to_do"):
                self.initial.update({f"{part}_en": content[part]["en"], f"{part}_zh": content[part]["zh-hans"]})

    def clean_contraindications(self) -> list[dict[str, Any]]:
        """Require a condition and a reason in both languages in each entry."""
        entries = self.cleaned_data["contraindications"] or []
        fits = isinstance(entries, list) and all(
            isinstance(entry, dict)
            and isinstance(entry.get("condition"), str)
            and isinstance(entry.get("reason"), dict)
            and {"en", "zh-hans"} <= entry["reason"].keys()
            for entry in entries
        )
        if not fits:
            raise forms.ValidationError(
                _("Each entry needs a condition and a reason in English (en) and Chinese (zh-hans).")
            )
        return list(entries)

    @property
    def content(self) -> dict[str, Any]:
        """As input of the catalogue's services."""
        data = self.cleaned_data
        return {
            "code": self.item.code if self.item else data["code"],
            "kind": data["kind"],
            **{
                part: {"en": data[f"{part}_en"], "zh-hans": data[f"{part}_zh"]}
                for part in ("title", "patient_text", "what_to_do")
            },
            "codings": self.item.content.get("codings", []) if self.item else [],
            "contraindications": data["contraindications"],
            "after": [row.code for row in data["after"]],
            "clinicians_only": data["clinicians_only"],
        }


class RuleForm(forms.Form):
    """A guideline rule; saving creates a new version."""

    code = forms.SlugField(label=_("Code"), max_length=60)
    item = forms.ModelChoiceField(
        label=_("Item"), queryset=CareItem.objects.filter(withdrawn_at=None), to_field_name="code"
    )
    condition = forms.CharField(
        label=_("Condition"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("FHIRPath over the patient's facts. Unknown facts are empty and never true."),
    )
    effect = forms.ChoiceField(label=_("Effect"), choices=[("propose", _("Propose")), ("avoid", _("Advise against"))])
    urgency = forms.ChoiceField(label=_("Urgency"), choices=list(zip(URGENCIES, Urgency.labels, strict=True)))
    due_days = forms.IntegerField(label=_("Due within (days)"), min_value=1, max_value=3650, initial=90)
    repeat_days = forms.IntegerField(
        label=_("Repeat after (days)"), min_value=0, max_value=3650, initial=0, help_text=_("0: do not repeat.")
    )
    citation = forms.CharField(label=_("Citation"), max_length=400)
    url = forms.URLField(label=_("Web address"), max_length=400, required=False, assume_scheme="https")
    grade = forms.CharField(label=_("Grade"), max_length=40, required=False)
    because = forms.JSONField(
        label=_("Facts to show"),
        required=False,
        initial=list,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_('A JSON list of {"title": {"en": …, "zh-hans": …}, "expression": FHIRPath, "unit": …}.'),
    )
    examples = forms.JSONField(
        label=_("Example patients"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_('A JSON list of {"facts": {…}, "holds": true or false}, with at least one of each.'),
    )

    def _list(self, name: str, needed: set[str]) -> list[dict[str, Any]]:
        entries = self.cleaned_data[name] or []
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and needed <= entry.keys() for entry in entries
        ):
            raise forms.ValidationError(
                _("This must be a list of objects with: %(names)s.") % {"names": ", ".join(sorted(needed))}
            )
        return entries

    def clean_because(self) -> list[dict[str, Any]]:
        """Require a title and an expression in each entry; fill in the unit."""
        return [
            {"title": entry["title"], "expression": str(entry["expression"]), "unit": str(entry.get("unit", ""))}
            for entry in self._list("because", {"title", "expression"})
            if isinstance(entry["title"], dict)
        ]

    def clean_examples(self) -> list[dict[str, Any]]:
        """Require facts and the expected outcome in each entry."""
        return self._list("examples", {"facts", "holds"})

    @property
    def content(self) -> dict[str, Any]:
        """As input of the catalogue's services."""
        return {**self.cleaned_data, "item": self.cleaned_data["item"].code}


class CatalogueForm(forms.Form):
    """An upload of items and rules."""

    file = forms.FileField(label=_("CSV or FHIR Bundle"))

"""Forms of cases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import CareTeam, User
from apps.cases.models import HandOver
from apps.records.access import colleagues
from apps.records.forms import DAY, MOMENT
from apps.records.models import Case, CaseStatus, Priority


class ListForm(forms.Form):
    """Filters of the case list; sent by POST so that patient names stay out of URLs and logs."""

    text = forms.CharField(label=_("MRN, name or words in a note"), max_length=200, required=False)
    status = forms.ChoiceField(
        label=_("Status"), choices=[("", _("All")), *CaseStatus.choices[:2]], required=False, initial=CaseStatus.OPEN
    )
    whose = forms.ChoiceField(label=_("Assigned to"), choices=[("", _("All")), ("mine", _("Me"))], required=False)


class OpenForm(forms.Form):
    """A new case."""

    title = forms.CharField(label=_("Title"), max_length=200, help_text=_("A few words about the case."))
    priority = forms.TypedChoiceField(label=_("Priority"), choices=Priority.choices, coerce=int)
    started_at = forms.DateTimeField(
        label=_("Admitted at"), widget=MOMENT, help_text=_("Hours are counted from this time (UTC).")
    )

    def clean_started_at(self) -> Any:
        """Not in the future."""
        at = self.cleaned_data["started_at"]
        if at > timezone.now():
            raise forms.ValidationError(_("This time is in the future."))
        return at


class ChangeForm(OpenForm):
    """The editable fields of a case."""

    assignee = forms.ModelChoiceField(label=_("Assigned to"), queryset=User.objects.none(), required=False)
    care_team = forms.ModelChoiceField(label=_("Care team"), queryset=CareTeam.objects.none(), required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = colleagues(case)  # type: ignore[attr-defined]
        self.fields["care_team"].queryset = case.patient.care_teams.all()  # type: ignore[attr-defined]


class TaskForm(forms.Form):
    """A task."""

    title = forms.CharField(label=_("Task"), max_length=300)
    due = forms.DateField(label=_("Due date"), widget=DAY, required=False)
    assignee = forms.ModelChoiceField(label=_("Assigned to"), queryset=User.objects.none(), required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = colleagues(case)  # type: ignore[attr-defined]


class CommentForm(forms.Form):
    """A comment."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Type @ to mention a colleague."),
    )


class ReferralForm(forms.Form):
    """A request for a second opinion."""

    team = forms.ModelChoiceField(label=_("Care team"), queryset=CareTeam.objects.none())
    question = forms.CharField(label=_("Question"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = CareTeam.objects.exclude(pk__in=case.patient.care_teams.values("pk"))
        self.fields["team"].queryset = others  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """The answer to a request for a second opinion."""

    text = forms.CharField(label=_("Answer"), max_length=8000, widget=forms.Textarea(attrs={"rows": 3}))


class HandOverForm(forms.Form):
    """A handover in the order of I-PASS."""

    receiver = forms.ModelChoiceField(label=_("Hand over to"), queryset=User.objects.none())
    severity = forms.ChoiceField(
        label=_("Illness severity"), choices=HandOver._meta.get_field("severity").choices or []
    )
    summary = forms.CharField(label=_("Summary"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    expected = forms.CharField(
        label=_("Contingency plan: what may happen and what to do"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, case: Case, giver: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = colleagues(case).exclude(pk=giver.pk) if giver else colleagues(case)
        self.fields["receiver"].queryset = others  # type: ignore[attr-defined]


class MergeForm(forms.Form):
    """Choice of the case to merge into this one."""

    source = forms.ModelChoiceField(label=_("Case"), queryset=Case.objects.none())

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Case.objects.filter(patient=case.patient, status=CaseStatus.OPEN).exclude(pk=case.pk)
        self.fields["source"].queryset = others  # type: ignore[attr-defined]
        self.fields["source"].label_from_instance = lambda row: f"{row.number} {row.title}"  # type: ignore[attr-defined]

"""Forms of appointments and questions."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class BookForm(forms.Form):
    """A new appointment."""

    title = forms.CharField(label=_("Reason for visit"), max_length=200, help_text=_("The patient sees this."))
    place = forms.CharField(label=_("Location"), max_length=200, required=False)
    starts_at = forms.DateTimeField(label=_("When"), widget=_MOMENT, help_text=settings.TIME_ZONE)
    minutes = forms.IntegerField(label=_("Duration (minutes)"), min_value=5, max_value=480, initial=30)


class MoveForm(forms.Form):
    """Rescheduling of an appointment."""

    starts_at = forms.DateTimeField(label=_("When"), widget=_MOMENT, help_text=settings.TIME_ZONE)
    revision = forms.IntegerField(widget=forms.HiddenInput)

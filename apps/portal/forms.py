from django import forms

from apps.patients.models import ConsentState, Purpose


class ConsentForm(forms.Form):
    """Consent decision on one purpose."""

    purpose = forms.ChoiceField(choices=Purpose.choices)
    state = forms.ChoiceField(
        choices=[(int(state), state.label) for state in (ConsentState.GIVEN, ConsentState.WITHDRAWN)]
    )

"""Template filters of the patient record."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.records.models import STATUSES, Statement, StatementKind, StatementStatus
from apps.terminology.order_check import Warning as OrderWarning

register = template.Library()
KINDS = {
    "allergy": _("Allergy"),
    "class": _("Allergy to the drug class"),
    "cross-reactivity": _("Cross-reactivity"),
    "interaction": _("Interaction"),
    "duplicate": _("Duplicate therapy"),
    "pregnancy": _("Pregnancy"),
    "renal": _("Renal function"),
    "not-recognised": _("Not checked"),
}
SEVERITIES = {
    "contraindicated": _("contraindicated"),
    "high": pgettext_lazy("severity", "high"),  # of a warning; a measured value that is high is another word in Chinese
    "moderate": _("moderate"),
    "low": pgettext_lazy("severity", "low"),
}


@register.filter
def warning_kind(warning: OrderWarning) -> str:
    """The kind of a warning in words."""
    return str(KINDS.get(warning.kind, warning.kind))


@register.filter
def warning_severity(warning: OrderWarning) -> str:
    """The severity of a warning in words."""
    return str(SEVERITIES.get(warning.severity, warning.severity))


VERBS = {
    StatementStatus.ACTIVE: _("Reactivate"),
    StatementStatus.ON_HOLD: _("Hold"),
    StatementStatus.STOPPED: _("Stop"),
    StatementStatus.RESOLVED: _("Resolve"),
    StatementStatus.ERROR: _("Mark as error"),
}


@register.filter
def status_changes(row: Statement) -> list[tuple[str, str]]:
    """The statuses that a statement may be given, each with the words on its button."""
    allowed = (*STATUSES[StatementKind(row.kind)], StatementStatus.ERROR)
    return [(status.value, str(VERBS[status])) for status in allowed if status in VERBS and status != row.status]

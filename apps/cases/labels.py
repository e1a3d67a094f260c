"""Labels of a case's events."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

EVENTS = {
    "case.opened": _("Case opened"),
    "case.closed": _("Case closed"),
    "case.reopened": _("Case reopened"),
    "case.merged": _("Another case merged into this one"),
    "case.assigned": _("Assigned to %(who)s"),
    "study": _("Study: %(what)s"),
    "finding": _("%(what)s: %(percent)s %%"),
    "review": _("%(what)s: %(verdict)s"),
    "note": _("%(sort)s"),
    "value": _("%(what)s %(value)s %(unit)s"),
    "prediction": _("In-hospital mortality risk %(percent)s %% (decision support)"),
    "case_risk": _("Combined risk %(percent)s %% (decision support)"),
    "alarm": _("Alarm: %(what)s %(value)s"),
    "alarm.ended": _("Alarm ended: %(what)s"),
    "alarm.withdrawn": _("Alarm taken back, its value was entered in error: %(what)s"),
    "statement": _("%(what)s: %(status)s"),
    "task": _("Task: %(what)s"),
    "task.done": _("Task done: %(what)s"),
    "comment": _("Comment"),
    "referral": _("Second opinion requested from %(team)s"),
    "referral.answered": _("Second opinion answered by %(team)s"),
    "hand_over": _("Handed over to %(who)s"),
    "document": _("Document: %(what)s"),
    "report": _("Report: %(state)s"),
    "discordance": _("Note and model disagree on %(what)s"),
}
"""Label by event code or its prefix."""


def event_words(words: dict[str, Any]) -> str:
    """Describe an event in the reader's language, by the longest prefix of its code in EVENTS."""
    code = words.get("code", "")
    while code and code not in EVENTS:
        code = code.rpartition(".")[0]
    parameters = {
        name: str(_(value)) if name in ("sort", "status", "state", "verdict") else value
        for name, value in words.items()
    }
    return str(EVENTS[code]) % parameters if code else str(words.get("title", ""))

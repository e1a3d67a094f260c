"""Names of tables on the administrator's pages."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

# Plurals that Django forms from class names; extracted here, so that they are translated.
NAMES = (
    _("alarms"),
    _("appointments"),
    _("case vectors"),
    _("comments"),
    _("concepts"),
    _("documents"),
    _("drafts"),
    _("email preferences"),
    _("events"),
    _("film embeddings"),
    _("hand overs"),
    _("note revisions"),
    _("observation import rows"),
    _("patient releases"),
    _("questions"),
    _("recommendation events"),
    _("recommendations"),
    _("referrals"),
    _("report versions"),
    _("reports"),
    _("rule evaluations"),
    _("specialty explanations"),
    _("statements"),
    _("tasks"),
)


def table_name(model: type[models.Model]) -> str:
    """Return the model's plural name in the page's language."""
    return gettext(str(model._meta.verbose_name_plural))

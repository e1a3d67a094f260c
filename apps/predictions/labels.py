"""Labels of the inputs of predictions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SOURCES = {"image": _("Image"), "text": _("Text"), "values": _("Vitals and labs")}

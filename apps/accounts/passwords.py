"""Password validators."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User

OBVIOUS = ("medportal", "hospital", "password", "passwort", "doctor", "patient", "nurse", "admin", "radiology")
"""Context-specific words that an attacker tries first (ASVS 5.0, 6.1.2)."""
MIN_OTHER_CHARACTERS = 8


class NoObviousWords:
    """Requires at least eight characters besides obvious words."""

    def validate(self, password: str, user: User | None = None) -> None:
        rest = re.sub("|".join(OBVIOUS), "", password.lower())
        if len(rest) < MIN_OTHER_CHARACTERS:
            raise ValidationError(self.get_help_text(), code="password_obvious")

    def get_help_text(self) -> str:
        return _("Common words such as “hospital” or “password” do not count towards the minimum length.")

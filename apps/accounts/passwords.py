"""What passwords may not be made of."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User

OBVIOUS = ("medportal", "hospital", "password", "passwort", "doctor", "patient", "nurse", "admin", "radiology")
"""Words that an attacker of this site tries first (ASVS 5.0, 6.1.2)."""
LEAST_ELSE = 8


class NoObviousWords:
    """Such words may occur, but at least eight characters must be left without them."""

    def validate(self, password: str, user: User | None = None) -> None:
        rest = re.sub("|".join(OBVIOUS), "", password.lower())
        if len(rest) < LEAST_ELSE:
            raise ValidationError(self.get_help_text(), code="password_obvious")

    def get_help_text(self) -> str:
        return _("Common words such as “hospital” or “password” do not count towards the minimum length.")

"""Settings of a journey's site: those of the demonstration, with passwords that are quick to check."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from medportal.settings import *  # noqa: F403


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own with a thousandth of its iterations, which take as long as the rest of a sign-in."""

    iterations = 1000


PASSWORD_HASHERS = ["tests.journeys.site_settings.QuickHasher"]

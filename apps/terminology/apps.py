from django.apps import AppConfig
from django.conf import settings


class TerminologyConfig(AppConfig):
    name = "apps.terminology"

    def ready(self) -> None:
        """Read the hospital's own releases, if it has loaded any."""
        from apps.terminology.data_files import STORE, use_releases

        use_releases(settings.VAR_DIR / STORE)

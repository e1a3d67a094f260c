from django.apps import AppConfig


class ImagingConfig(AppConfig):
    name = "apps.imaging"

    def ready(self) -> None:
        from apps.imaging import reasons
        from apps.jobs.errors import register_sentences

        register_sentences(reasons.SENTENCES)

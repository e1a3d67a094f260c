from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "apps.contact"

    def ready(self) -> None:
        from apps.contact import reasons
        from apps.jobs.errors import register_sentences

        register_sentences(reasons.SENTENCES)

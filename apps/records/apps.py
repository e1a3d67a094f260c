from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "apps.records"

    def ready(self) -> None:
        from apps.jobs.errors import register_sentences
        from apps.records import messages

        register_sentences(messages.MESSAGES)

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "apps.records"

    def ready(self) -> None:
        from apps.jobs.errors import register_messages
        from apps.records import messages

        register_messages(messages.MESSAGES)

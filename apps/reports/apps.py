from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "apps.reports"

    def ready(self) -> None:
        from apps.jobs.errors import register_messages
        from apps.reports import messages

        register_messages(messages.MESSAGES)

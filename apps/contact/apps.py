from django.apps import AppConfig


class ContactConfig(AppConfig):
    name = "apps.contact"

    def ready(self) -> None:
        from apps.contact import messages
        from apps.jobs.errors import register_messages

        register_messages(messages.MESSAGES)

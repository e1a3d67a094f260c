from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.accounts import auth_audit, messages
        from apps.jobs.errors import register_messages

        register_messages(messages.MESSAGES)
        auth_audit.listen()

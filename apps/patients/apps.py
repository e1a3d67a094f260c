from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "apps.patients"

    def ready(self) -> None:
        from apps.jobs.errors import register_messages
        from apps.patients import messages, search
        from apps.protection.indexing import register_reindexer

        register_messages(messages.MESSAGES)
        register_reindexer("patients", search.reindex)

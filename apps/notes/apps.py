from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "apps.notes"

    def ready(self) -> None:
        from apps.jobs.errors import register_messages
        from apps.notes import messages, search
        from apps.protection.indexing import register_reindexer

        register_messages(messages.MESSAGES)
        register_reindexer("notes", search.reindex)

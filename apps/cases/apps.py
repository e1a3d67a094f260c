from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "apps.cases"

    def ready(self) -> None:
        from apps.cases import reasons, search
        from apps.jobs.errors import register_sentences
        from apps.protection.indexing import register_reindexer

        register_sentences(reasons.SENTENCES)
        register_reindexer("notes", search.reindex)

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "apps.patients"

    def ready(self) -> None:
        from apps.jobs.errors import register_sentences
        from apps.patients import reasons, search
        from apps.protection.indexing import register_reindexer

        register_sentences(reasons.SENTENCES)
        register_reindexer("patients", search.reindex)

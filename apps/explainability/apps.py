from django.apps import AppConfig


class ExplainabilityConfig(AppConfig):
    name = "apps.explainability"

    def ready(self) -> None:
        from apps.explainability import reasons
        from apps.jobs.errors import register_sentences

        register_sentences(reasons.SENTENCES)

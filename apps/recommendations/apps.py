from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "apps.recommendations"

    def ready(self) -> None:
        from apps.jobs.errors import register_sentences
        from apps.recommendations import reasons

        register_sentences(reasons.SENTENCES)

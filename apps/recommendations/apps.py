from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "apps.recommendations"

    def ready(self) -> None:
        from apps.inference.events import AnalysisCompleted, FindingReviewed
        from apps.jobs.errors import register_messages
        from apps.jobs.events import subscribe
        from apps.notes.events import ConceptReviewed, NoteExtracted
        from apps.recommendations import handlers, messages
        from apps.records.events import ObservationsChanged, StatementsChanged

        register_messages(messages.MESSAGES)
        for analysis_event in (AnalysisCompleted, FindingReviewed):
            subscribe(analysis_event, handlers.evaluate_after_analysis)
        for chart_event in (ObservationsChanged, StatementsChanged, NoteExtracted, ConceptReviewed):
            subscribe(chart_event, handlers.evaluate_after_chart_change)

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    name = "apps.predictions"

    def ready(self) -> None:
        from apps.jobs.errors import register_messages
        from apps.jobs.events import subscribe
        from apps.notes.events import NoteExtracted
        from apps.predictions import handlers, messages
        from apps.records.events import ObservationsChanged

        register_messages(messages.MESSAGES)
        subscribe(ObservationsChanged, handlers.check_alarms, at_once=True)
        subscribe(ObservationsChanged, handlers.refresh_predictions, at_once=True)
        subscribe(NoteExtracted, handlers.refresh_predictions, at_once=True)

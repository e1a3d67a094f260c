from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "apps.cases"

    def ready(self) -> None:
        from apps.cases import handlers, messages
        from apps.inference.events import AnalysisCompleted
        from apps.jobs.errors import register_messages
        from apps.jobs.events import subscribe

        register_messages(messages.MESSAGES)
        subscribe(AnalysisCompleted, handlers.add_findings_to_cases)

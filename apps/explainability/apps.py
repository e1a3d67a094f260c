from django.apps import AppConfig


class ExplainabilityConfig(AppConfig):
    name = "apps.explainability"

    def ready(self) -> None:
        from apps.explainability import handlers, messages
        from apps.inference import post_inference_hooks
        from apps.inference.events import AnalysisCompleted
        from apps.jobs.errors import register_messages
        from apps.jobs.events import subscribe

        register_messages(messages.MESSAGES)
        subscribe(AnalysisCompleted, handlers.plan_explanations)
        post_inference_hooks.register("apps.explainability.preview.draw_preview")

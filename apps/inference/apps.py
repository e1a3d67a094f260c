from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "apps.inference"

    def ready(self) -> None:
        from apps.imaging.signals import study_received
        from apps.inference import reasons, routing
        from apps.jobs.errors import register_sentences

        register_sentences(reasons.SENTENCES)
        study_received.connect(routing.on_study_received, dispatch_uid="inference.routing")

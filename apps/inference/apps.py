from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "apps.inference"

    def ready(self) -> None:
        from apps.imaging.events import InstanceStored
        from apps.inference import handlers, messages
        from apps.jobs.errors import register_messages
        from apps.jobs.events import subscribe

        register_messages(messages.MESSAGES)
        subscribe(InstanceStored, handlers.route_series, at_once=True)

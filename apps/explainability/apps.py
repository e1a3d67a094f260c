from django.apps import AppConfig


class ExplainabilityConfig(AppConfig):
    name = "apps.explainability"

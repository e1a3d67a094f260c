"""The project: settings, URLs, ASGI and Celery, and nothing else."""

from medportal.celery import app as celery_app

__all__ = ["celery_app"]

"""The Celery application; ``celery -A medportal worker`` starts here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medportal.settings")

app = Celery("medportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="jobs")

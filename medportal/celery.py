"""The Celery application; ``celery -A medportal worker`` starts here."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medportal.settings")

app = Celery("medportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="jobs")

for folder in ("data_folder_in", "control_folder"):
    if name := app.conf.broker_transport_options.get(folder):
        Path(name).mkdir(parents=True, exist_ok=True, mode=0o700)

"""``manage.py clock``: send what is due."""

from __future__ import annotations

import signal
import sys
from typing import Any

from celery import current_app
from celery.beat import Service
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Send the work of the schedule when it is due. As 'celery beat', but no task's code is loaded: it runs "
        "in the image of the web process, which has no torch."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        app: Any = current_app
        scheduler: Any = settings.CELERY_BEAT_SCHEDULER  # a dotted name: Celery imports it
        Service(app._get_current_object(), scheduler_cls=scheduler).start()

"""``manage.py clock``: run the scheduler."""

from __future__ import annotations

import signal
import sys
from typing import Any

from celery.app import app_or_default
from celery.beat import Service
from django.core.management.base import BaseCommand

from apps.jobs.clock import DatabaseScheduler


class Command(BaseCommand):
    help = (
        "Send the work of the schedule when it is due. As 'celery beat', but no task's code is loaded: it runs "
        "in the image of the web process, which has no torch."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        Service(app_or_default(), scheduler_cls=DatabaseScheduler).start()

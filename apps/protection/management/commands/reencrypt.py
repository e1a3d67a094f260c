"""``manage.py reencrypt``: re-encrypt all data under new data keys while the site runs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.protection.management.commands._progress import bars
from apps.protection.reencryption import finishable_at, reencrypt


class Command(BaseCommand):
    help = "Create a new data key for every holder and re-encrypt all rows and blobs with it; resumable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", action="store_true", help="wait until the older keys can be dropped")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        with bars() as progress:
            run = reencrypt(progress=progress)
        if run.finished_at is None and options["wait"]:
            self.stdout.write(f"re-encrypted; waiting until {finishable_at(run):%H:%M:%S} UTC to drop the older keys")
            time.sleep(max(0.0, (finishable_at(run) - timezone.now()).total_seconds()))
            with bars() as progress:
                run = reencrypt(progress=progress)
        seconds = time.monotonic() - started
        if run.finished_at is None:
            when = f"{finishable_at(run):%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"run this again after {when}: uploads in progress may still need the older keys")
        self.stdout.write(f"{run.rows} rows and {run.blobs} blobs re-encrypted; this call took {seconds:.1f} s")

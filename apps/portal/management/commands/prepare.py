"""``manage.py prepare``: all preparation before the first start and after an upgrade."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.portal import preparation


class Command(BaseCommand):
    help = (
        "Create the keyring if missing, migrate both databases, install the bundled models and guidelines, "
        "and collect static files. Idempotent, and safe to run in several containers at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--static-only", action="store_true", help="only collect static files, for building images")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["static_only"]:
            preparation.collect_static()
            return
        preparation.prepare(lambda step: self.stdout.write(f"• {step}"))

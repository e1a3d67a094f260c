"""``manage.py prepare``: everything before the first start and after an upgrade."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.portal import preparation


class Command(BaseCommand):
    help = (
        "Make the keyring if there is none, migrate both databases, install the bundled models, codes and guidelines, "
        "and collect static files. Safe to repeat, and to run in several containers at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--static-only", action="store_true", help="collect static files: when an image is built")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["static_only"]:
            preparation.collect_static()
            return
        preparation.prepare(lambda step: self.stdout.write(f"• {step}"))

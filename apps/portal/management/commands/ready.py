"""``manage.py ready``: the checks of ``/readyz``, for probes of processes that serve no pages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.portal.readiness import OK, PARTS, readiness


class Command(BaseCommand):
    help = "Check all parts or those named, print the result of each, and fail if one is not ready."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))

    def handle(self, *args: Any, **options: Any) -> None:
        requested = set(options["parts"] or PARTS)
        if unknown := requested - PARTS.keys():
            raise CommandError(f"no such part: {', '.join(sorted(unknown))}")
        result = readiness(exclude=PARTS.keys() - requested)
        for name, text in result.parts.items():
            self.stdout.write(f"{name}: {text}")
        if not result.ready:
            raise CommandError(", ".join(name for name, text in result.parts.items() if text != OK))

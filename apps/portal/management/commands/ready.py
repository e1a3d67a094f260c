"""``manage.py ready``: what ``/readyz`` says, for probes of processes that serve no pages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.portal.readiness import OK, PARTS, readiness


class Command(BaseCommand):
    help = "Print whether each part works, all or those named, and fail if one does not."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))

    def handle(self, *args: Any, **options: Any) -> None:
        asked = set(options["parts"] or PARTS)
        if unknown := asked - PARTS.keys():
            raise CommandError(f"no such part: {', '.join(sorted(unknown))}")
        answer = readiness(exclude=PARTS.keys() - asked)
        for name, text in answer.parts.items():
            self.stdout.write(f"{name}: {text}")
        if not answer.ready:
            raise CommandError(", ".join(name for name, text in answer.parts.items() if text != OK))

"""``manage.py guidelines``: import care items and guideline rules."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import System
from apps.jobs.errors import UserError
from apps.recommendations import catalogue


class Command(BaseCommand):
    help = "Import the bundled items and rules, or those of a CSV or FHIR file; identical ones are left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="CSV or FHIR R5 Bundle; without it: the bundled catalogue"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        try:
            content = catalogue.read_file(file.read_bytes()) if file else catalogue.bundled()
            items, rules = catalogue.load(content, actor=System("guidelines import"))
        except (UserError, OSError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{items} items and {rules} rules are new or changed")

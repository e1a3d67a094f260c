"""``manage.py restore_study``: take back a deletion within its grace time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import System
from apps.imaging.deletion import restore
from apps.imaging.models import Study


class Command(BaseCommand):
    help = "Restore what was deleted of a study: all series and instances whose grace time is not over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="Study Instance UID")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.every.filter(study_instance_uid=options["study"]).first()
        if study is None:
            raise CommandError("there is no such study: it was never stored, or its grace time is over")
        number = restore(study, actor=System("restored from the command line"))
        if not number:
            raise CommandError("nothing of this study is deleted")
        self.stdout.write(f"{number} instances restored")

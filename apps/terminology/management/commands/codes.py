"""``manage.py codes``: load ICD-10-CM codes for searching."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.terminology.icd10 import ICD10
from apps.terminology.models import TerminologyCode


class Command(BaseCommand):
    help = "Load the codes of ICD-10-CM (package simple-icd-10-cm) for searching; idempotent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-missing", action="store_true", help="do nothing if codes are already loaded")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_missing"] and TerminologyCode.objects.filter(system=ICD10).exists():
            return
        import simple_icd_10_cm as icd10  # imported here: takes 150 MB of memory

        # Some codes are listed twice; PostgreSQL refuses duplicates within one upsert statement.
        searchable = list(dict.fromkeys(code for code in icd10.get_all_codes() if "." in code or len(code) == 3))
        rows = [self._row(code, icd10.get_description(code)) for code in searchable]
        TerminologyCode.objects.bulk_create(
            rows,
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["system", "code"],
            update_fields=["title", "folded"],
        )
        self.stdout.write(f"{len(rows)} codes of ICD-10-CM")

    @staticmethod
    def _row(code: str, title: str) -> TerminologyCode:
        return TerminologyCode(system=ICD10, code=code, title=title[:300], folded=title[:300].casefold())

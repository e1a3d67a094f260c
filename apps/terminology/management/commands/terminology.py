"""``manage.py terminology load FOLDER`` takes over a hospital's own releases; ``build`` rewrites the bundled files."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.terminology.data_files import DATA, STORE
from apps.terminology.loading.errors import WrongRelease
from apps.terminology.loading.release import load_releases

SHOWN = 10
"""Changed entries that are listed by name."""
NEEDED = {
    "drugs": ("drug_lookup.parquet", "ingredients.tsv", "rxnorm_brands.tsv", "rxnorm_products.parquet"),
    "interactions": ("ansm_pairs.parquet", "va_interactions_rxcui.tsv"),
    "conditions": ("icd10cm_codes.parquet", "icd10cm_2025_all_codes.parquet", "condition_lookup.parquet"),
}
"""Files of the sources, by folder."""


class Command(BaseCommand):
    help = "Rebuild the bundled drug names, allergens, interactions and conditions; data/README.md names the sources."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        load = actions.add_parser("load", help="take over releases: all of them or, if one is wrong, none")
        load.add_argument(
            "folder",
            type=Path,
            help="folder with RXNCONSO.RRF and RXNREL.RRF, icd10cm_order_YYYY.txt, cvx.txt, Loinc.csv",
        )
        load.add_argument(
            "--accept-smaller", action="store_true", help="take a release with less than half of the entries"
        )
        build = actions.add_parser("build", help="for developers: rewrite the files of apps/terminology/data")
        build.add_argument(
            "source", type=Path, help="folder with drugs/, interactions/, conditions/; vaccines/ beside it"
        )
        build.add_argument("--everyday", type=Path, required=True, help="text file of words of general English")
        build.add_argument(
            "--notes", type=Path, required=True, help="Parquet file of sample transcriptions (MTSamples)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the action."""
        if options["action"] == "load":
            self._load(options["folder"], accept_smaller=options["accept_smaller"])
        else:
            self._build(options["source"], options["everyday"], options["notes"])

    def _load(self, folder: Path, *, accept_smaller: bool) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder: unpack the releases first")
        try:
            changes = load_releases(
                folder, settings.VAR_DIR / STORE, accept_smaller=accept_smaller, progress=self.stdout.write
            )
        except WrongRelease as error:
            raise CommandError(f"{error}. Nothing has changed.") from error
        for change in changes:
            self.stdout.write(f"{change.system}: {change.total} entries")
            for verb, rows in (("new", change.added), ("gone", change.removed), ("renamed", change.renamed)):
                self.stdout.write(f"  {len(rows)} {verb}")
                for row in rows[:SHOWN]:
                    self.stdout.write(f"    {row}")
        self.stdout.write("Restart the web and worker processes: each reads the terminology once.")

    def _build(self, source: Path, everyday: Path, notes: Path) -> None:
        missing = [source / folder / name for folder, names in NEEDED.items() for name in names]
        missing.append(source.parent / "vaccines" / "cvx_to_antigen.tsv")
        missing = [path for path in [*missing, everyday, notes] if not path.is_file()]
        if missing:
            raise CommandError(f"not there: {', '.join(map(str, missing))}; data/README.md says where they come from")
        for name, build in _steps(source, everyday, notes).items():
            self.stdout.write(f"{name}: {build()}")


def _steps(source: Path, everyday: Path, notes: Path) -> dict[str, Callable[[], object]]:
    # imported here: pandas takes a second, and no other command needs it
    from apps.terminology.building.allergens import build_allergens
    from apps.terminology.building.conditions import build_conditions
    from apps.terminology.building.drugs import build_drugs
    from apps.terminology.building.interactions import build_interactions
    from apps.terminology.building.vaccines import build_vaccines
    from apps.terminology.building.words import build_words, general_words

    return {
        "drugs": lambda: build_drugs(source / "drugs", general_words(everyday, source / "conditions"), DATA),
        "allergens": lambda: build_allergens(source / "drugs", DATA),
        "interactions": lambda: build_interactions(source / "interactions", DATA),
        "everyday words": lambda: build_words(notes, DATA),
        "conditions": lambda: build_conditions(source / "conditions", DATA),
        "vaccines": lambda: build_vaccines(source.parent / "vaccines", DATA),
    }

"""``manage.py predict``: run a package on files outside the portal."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from apps.imaging.dicom.parser import Unreadable
from apps.inference import batch_predict, installed_packages
from apps.inference.engines.input_checks import InputRejected
from apps.inference.output_checks import checked_probabilities
from apps.inference.packages.card import FILMS, SERIES, VOLUMES, Package
from apps.jobs.errors import UserError, message

BATCH = 32


class Command(BaseCommand):
    help = (
        "Run a model package over DICOM, PNG or JPEG files (one row a file: path, probabilities, refusal), or a "
        "package of stays over a Parquet table (one row a stay and hour)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
        parser.add_argument("--out", type=Path, required=True, help="the CSV (of stays also Parquet) file to write")
        parser.add_argument("--hours", default="6,12,24,48", help="of stays: after which hours, 6 to 48")
        parser.add_argument(
            "--age", type=float, help="of films: the patients' age in years where a file does not say it"
        )
        parser.add_argument("--package-version", help="default: the newest installed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            package = installed_packages.newest(options["name"], options["package_version"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        if package.task == SERIES:
            return self._stays(package, options)
        if package.task == VOLUMES:
            raise CommandError(f"{package.name} reads volumes, not files: upload the series on the site")
        if package.task != FILMS:
            raise CommandError(f"{package.name} reads no films; try it on its page")
        try:
            files = batch_predict.files_in(options["paths"])
        except FileNotFoundError as error:
            raise CommandError(str(error)) from error
        if not files:
            raise CommandError("no files there")
        partial = options["out"].with_suffix(options["out"].suffix + ".part")
        with partial.open("w", newline="") as target:
            refused = self._write(package, files, target, options["age"])
        partial.replace(options["out"])
        self.stdout.write(f"{len(files)} files, {refused} refused: {options['out']}")

    def _stays(self, package: Package, options: dict[str, Any]) -> None:
        """Predict a cohort: the challenge's columns in; record, hour, risk, members' minimum and maximum out."""
        from apps.inference.training.icu_deterioration import cohort

        try:
            hours = tuple(int(hour) for hour in options["hours"].split(","))
            table = cohort.risks(package, options["paths"], hours)
            checked_probabilities(table[["risk", "least", "greatest"]].to_numpy().ravel())
        except (ValueError, FileNotFoundError, UserError) as error:
            raise CommandError(str(error)) from error
        partial = options["out"].with_suffix(options["out"].suffix + ".part")
        cohort.write(table, partial, parquet=options["out"].suffix == ".parquet")
        partial.replace(options["out"])
        self.stdout.write(f"{table['record_id'].nunique()} stays, hours {options['hours']}: {options['out']}")

    def _write(self, package: Package, files: list[Path], target: Any, age: float | None) -> int:
        from apps.inference.engines.assessment import assess

        writer = csv.writer(target)
        writer.writerow(["path", *[label.code for label in package.labels], "refusal"])
        films = batch_predict.read_films(files, package.card, age)
        bar = track(films, "predicting", total=len(files), console=Console(stderr=True))
        refused = 0
        rows = iter(bar)
        while batch := list(islice(rows, BATCH)):
            assessed = assess(package, [film.pixels for film in batch if film.problem is None])
            answers = (row.answer for row in assessed)
            for film in batch:
                answer = film.problem or _checked(next(answers))
                if isinstance(answer, InputRejected | Unreadable | UserError):
                    refused += 1
                    reason = message(answer.code, answer.parameters)
                    writer.writerow([film.path, *[""] * len(package.labels), reason])
                else:
                    writer.writerow([film.path, *[f"{value:.6f}" for value in answer], ""])
        return refused


def _checked(answer: Any) -> Any:
    """The validated probabilities, or the exception that explains why there are none."""
    if isinstance(answer, Exception):
        return answer
    try:
        return checked_probabilities(answer)
    except UserError as error:
        return error

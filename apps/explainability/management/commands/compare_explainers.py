"""``manage.py compare_explainers``: benchmark a package's explainers on this site's images."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.explainability.management.commands import _packages
from apps.explainability.models import Comparison
from apps.inference import batch_predict
from apps.inference.management.commands.train import Bars
from apps.inference.models import PackageVersion
from apps.inference.packages.card import FILMS


class Command(BaseCommand):
    help = "Measure how faithful, fast and exact each explainer of a package is on films; the model's pages show it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="DICOM, PNG or JPEG")
        parser.add_argument("--healthy", nargs="+", type=Path, required=True, help="films of others without findings")
        parser.add_argument("--package-version", help="default: the newest installed")
        parser.add_argument("--title", required=True, help="what films these are, for the page")

    def handle(self, *args: Any, **options: Any) -> None:
        import numpy as np

        from apps.explainability.explainers.image.comparison import Sample, compare, names_for
        from apps.explainability.explainers.image.explainable import explainable

        package = _packages.newest(options["name"], options["package_version"])
        row = PackageVersion.objects.filter(name=package.name, version=package.version).first()
        if row is None:
            raise CommandError("install the package first: manage.py models")
        if package.task != FILMS:
            raise CommandError(f"{package.name} reads no films; its card has the figures of its own training")
        film = explainable(package)

        def planes(paths: list[Path]) -> list[Any]:
            read = batch_predict.read_films(batch_predict.files_in(paths), {"input": package.card["input"]})
            return [film.model.prepare(image.pixels) for image in read if image.problem is None]

        threshold = package.labels[0].threshold
        chosen = [
            plane for plane in planes(options["paths"]) if film.model.probabilities(plane[None])[0, 0] >= threshold
        ]
        healthy = planes(options["healthy"])
        if not chosen or not healthy:
            raise CommandError("nothing to compare: no film above the threshold, or no healthy film that can be read")
        with Bars() as bars:
            rows = compare(
                film,
                [Sample(plane) for plane in chosen],
                np.stack(healthy),
                output=0,
                names=names_for(film),
                progress=lambda *progress: bars.show("comparing", *progress),
            )
        part = {"data": options["title"], "films": len(chosen), "rows": rows}
        Comparison.objects.create(package=row, how="Films of this site, given to manage.py compare_explainers.", **part)
        _packages.print_table(self.stdout, part)

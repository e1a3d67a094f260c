"""``manage.py train_explainer``: train references and amortised explainer of a package."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.explainability.management.commands import _packages
from apps.inference.management.commands.train import Bars
from apps.inference.packages.card import VOLUMES, Package

Progress = Callable[[str, int, int, str], None]


class Command(BaseCommand):
    help = "Train an amortised explainer for a package and write both as a new version to var/model-packages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--data", type=Path, help="the films that the package was trained on; volumes are drawn")
        parser.add_argument("--from-version", help="default: the newest installed")
        parser.add_argument("--package-version", required=True, help="of the new package, say 1.1.0")
        parser.add_argument("--output", type=Path, help="default: var/model-packages/NAME/VERSION")
        parser.add_argument("--epochs", type=int, help="at most this many")
        parser.add_argument("--compared", type=int, default=500, help="real films to compare explainers on")
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw films")

    def handle(self, *args: Any, **options: Any) -> None:
        package = _packages.newest(options["name"], options["from_version"])
        version = options["package_version"]
        output = options["output"] or settings.VAR_DIR / "model-packages" / package.name / version
        make = self._volumes if package.task == VOLUMES else self._films
        with Bars() as bars:
            try:
                card = make(package, output, version, options, bars.show)
            except (FileNotFoundError, FileExistsError, ValueError) as error:
                raise CommandError(str(error)) from error
        for part in card["explainer"]["comparisons"]:
            _packages.print_table(self.stdout, part)
        self.stdout.write(f"wrote {output}; 'manage.py models' installs it")

    def _films(
        self, package: Package, output: Path, version: str, options: dict[str, Any], progress: Progress
    ) -> dict[str, Any]:
        from apps.explainability.training.train import Recipes, train
        from apps.inference.training.cxr_pneumonia.train import gather
        from apps.inference.training.fitting import Recipe

        if options["data"] is None:
            raise CommandError("say where the films are: --data DIR")
        recipes = replace(Recipes(), compared=options["compared"])
        if options["epochs"]:
            recipes = replace(recipes, explainer=replace(recipes.explainer, epochs=options["epochs"]))
        parts = gather(options["data"], Recipe(), options["workers"], progress)
        return train(package, vars(parts), output, version=version, recipes=recipes, progress=progress)

    def _volumes(
        self, package: Package, output: Path, version: str, options: dict[str, Any], progress: Progress
    ) -> dict[str, Any]:
        from apps.explainability.training.volumes import VolumeRecipe, equip

        recipe = replace(VolumeRecipe(), compared=min(options["compared"], VolumeRecipe.compared))
        return equip(package, output, version=version, recipe=recipe, workers=options["workers"], progress=progress)

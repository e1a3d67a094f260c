"""``manage.py train``: train a model package from scratch."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, TaskID

from apps.inference.installed_packages import newest
from apps.inference.training.recipes import RECIPES, TrainingRun, train_package


class Command(BaseCommand):
    help = "Train a model package from scratch and write it, with its card, to var/model-packages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(RECIPES))
        parser.add_argument(
            "--data", type=Path, help="folder with the package's data, as shared/data/README.md describes it"
        )
        parser.add_argument("--package-version", default="1.0.0", help="default: 1.0.0")
        parser.add_argument("--output", type=Path, help="default: var/model-packages/NAME/VERSION")
        parser.add_argument("--epochs", type=int, help="at most this many")
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw films")

    def handle(self, *args: Any, **options: Any) -> None:
        version = options["package_version"]
        output = options["output"] or settings.VAR_DIR / "model-packages" / options["name"] / version
        with Bars() as bars:
            run = TrainingRun(
                options["data"], output, version, options["epochs"], options["workers"], bars.show, newest
            )
            try:
                card = train_package(options["name"], run)
            except (FileNotFoundError, FileExistsError, ValueError) as error:
                raise CommandError(str(error)) from error
        for part in card["metrics"]:
            self.stdout.write(f"{part['data']} ({part.get('films', part['patients'])} of {part['patients']}):")
            for name, figure in part["values"].items():
                self.stdout.write(f"  {name}: {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})")
        self.stdout.write(f"wrote {output}; 'manage.py models' installs it")


class Bars:
    """A progress bar for each stage."""

    def __init__(self) -> None:
        self.progress = Progress(console=Console(stderr=True))
        self.stages: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()

    def show(self, stage: str, done: int, total: int, remark: str) -> None:
        """Update a stage's bar; print the remark, if any."""
        if stage not in self.stages:
            self.stages[stage] = self.progress.add_task(stage, total=total)
        self.progress.update(self.stages[stage], completed=done, total=total)
        if remark:
            self.progress.console.print(remark)

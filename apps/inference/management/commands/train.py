"""``manage.py train``: train a model package from scratch."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress, TaskID

from apps.inference.registry import newest

RECIPES = (
    "cxr-pneumonia",
    "diabetes-progression",
    "note-specialty",
    "icu-deterioration",
    "case-risk",
    "next-event",
    "ct-nodule",
)
WITHOUT_DATA = ("diabetes-progression", "next-event", "ct-nodule")
SENTENCES = "2.0.0"
"""From this version on note-specialty reads sentence vectors."""


class Command(BaseCommand):
    help = "Train a model package from scratch and write it, with its card, to var/model-packages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=RECIPES)
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
        if options["data"] is None and options["name"] not in WITHOUT_DATA:
            raise CommandError("say where the data are: --data DIR")
        try:
            card = self._train(options, output, version)
        except (FileNotFoundError, FileExistsError, ValueError) as error:
            raise CommandError(str(error)) from error
        for part in card["metrics"]:
            self.stdout.write(f"{part['data']} ({part.get('films', part['patients'])} of {part['patients']}):")
            for name, figure in part["values"].items():
                self.stdout.write(f"  {name}: {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})")
        self.stdout.write(f"wrote {output}; 'manage.py models' installs it")

    def _train(self, options: dict[str, Any], output: Path, version: str) -> dict[str, Any]:
        from apps.inference.training import (
            case_risk,
            ct_nodule,
            cxr_pneumonia,
            diabetes_progression,
            icu_deterioration,
            next_event,
            note_sentences,
            note_specialty,
        )
        from apps.inference.training.fitting import Recipe

        name, data = options["name"], options["data"]
        if name == "diabetes-progression":
            return diabetes_progression.train(output, version=version)
        if name == "note-specialty":
            maker = note_sentences if _newer(version, SENTENCES) else note_specialty
            return maker.train(data, output, version=version)
        if name == "case-risk":
            return case_risk.train(data, output, newest("icu-deterioration"), version=version)
        if name in ("icu-deterioration", "next-event"):
            with Bars() as bars:
                if name == "next-event":
                    return next_event.train(output, version=version, progress=bars.show)
                return icu_deterioration.train(data, output, version=version, progress=bars.show)
        if name == "ct-nodule":
            epochs = options["epochs"] or ct_nodule.Recipe.whole_epochs
            with Bars() as bars:
                return ct_nodule.train(
                    output,
                    version=version,
                    recipe=replace(ct_nodule.Recipe(), whole_epochs=epochs),
                    workers=options["workers"],
                    progress=bars.show,
                )
        recipe = replace(Recipe(), epochs=options["epochs"]) if options["epochs"] else Recipe()
        with Bars() as bars:
            return cxr_pneumonia.train(
                options["data"],
                output,
                version=version,
                recipe=recipe,
                workers=options["workers"],
                progress=bars.show,
            )


def _newer(version: str, than: str) -> bool:
    """Whether a version is at least another one."""
    return [int(part) for part in version.split(".")] >= [int(part) for part in than.split(".")]


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
        """What training reports."""
        if stage not in self.stages:
            self.stages[stage] = self.progress.add_task(stage, total=total)
        self.progress.update(self.stages[stage], completed=done, total=total)
        if remark:
            self.progress.console.print(remark)

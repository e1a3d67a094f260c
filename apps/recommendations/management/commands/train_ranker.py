"""``manage.py train_ranker``: train the ranker of recommendations."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.recommendations import active_ranker, catalogue, ranker_training
from apps.recommendations.guidelines.rule_engine import Contraindication, Evidence, Item, Rule

DRAWN, SEED = 6000, 11


class Command(BaseCommand):
    help = "Train care-ranker on this hospital's patients' responses, or (--drawn) on simulated people."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--drawn", type=int, nargs="?", const=DRAWN, help=f"number of simulated people; default {DRAWN}"
        )
        parser.add_argument("--package-version", default="1.0.0")
        parser.add_argument("--output", type=Path, help="default: var/model-packages/care-ranker/VERSION")

    def handle(self, *args: Any, **options: Any) -> None:
        from apps.recommendations.ranking.simulation import learners
        from apps.recommendations.ranking.training import train

        version = options["package_version"]
        output = options["output"] or settings.VAR_DIR / "model-packages" / active_ranker.NAME / version
        if options["drawn"]:
            rules, items = bundled()
            people, codes = learners(options["drawn"], rules, items, seed=SEED), sorted(items)
            data = "drawn people"
            source: Sequence[str] = ("People and acts drawn by apps/recommendations/ranking/simulation.py",)
        else:
            people, codes = ranker_training.learners(), ranker_training.codes()
            if why := ranker_training.insufficient_data(people):
                raise CommandError(why)
            data, source = "own patients", ranker_training.SOURCE
        try:
            card = train(
                people,
                codes,
                output,
                version=version,
                data=data,
                how=ranker_training.HOW,
                source=source,
                log=self.stdout.write,
            )
        except FileExistsError as problem:
            raise CommandError(str(problem)) from problem
        for name, figure in card["metrics"][0]["values"].items():
            self.stdout.write(f"  {name}: {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})")
        self.stdout.write(f"wrote {output}; 'manage.py models' installs it")


def bundled() -> tuple[list[Rule], dict[str, Item]]:
    """The bundled rules and items as input of the rule engine, without a database."""
    content = catalogue.bundled()
    items = {
        item["code"]: Item(
            item["code"],
            item["kind"],
            tuple(Contraindication(entry["condition"], entry["reason"]) for entry in item["contraindications"]),
            tuple(item["after"]),
        )
        for item in content["items"]
    }
    rules = []
    for rule in content["rules"]:
        fields = {name: value for name, value in rule.items() if name not in ("examples", "because")}
        evidence = tuple(Evidence(**entry) for entry in rule.get("because", []))
        rules.append(Rule(because=evidence, **{"version": 1, **fields}))
    return rules, items

"""A kind of model from outside the project runs from installation to explanation."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.explainability.explainers import registry as explainer_registry
from apps.explainability.jobs import AnswerTrial
from apps.explainability.models import PlaygroundQuery
from apps.explainability.playground import submit
from apps.inference import installed_packages, package_reader
from apps.inference.engines import registry as engine_registry
from apps.inference.models import PackageVersion
from apps.inference.packages.card import PackageRefused
from apps.jobs.models import State
from tests.factories import browser_of

TOY = '''
import json
from apps.explainability.explainers.registry import Explainer
from apps.inference.engines.registry import Engine
from apps.inference.packages.card import TABLES, PackageRefused


class Sum:
    """Weights times values."""

    def __init__(self, weights):
        self.weights = weights


def load(package):
    weights = json.loads((package.folder / "weights.json").read_text())
    if set(weights) != {feature["code"] for feature in package.card["features"]}:
        raise PackageRefused("the weights do not fit the card")
    return Sum(weights)


def answer(package, given):
    from apps.inference.engines.runtime_cache import loaded_model

    parts = {code: weight * given["row"][code] for code, weight in loaded_model(package).weights.items()}
    total = sum(parts.values())
    return {
        "output": total, "base": 0.0, "gap": 0.0, "values": parts, "how": "exact", "groups": {"all": total},
        "path_base": 0.0, "path_values": {},
        "cohort": {"rows": [[0, 0], [50, 50]], "values": [[0, 0], [100, -50]], "outputs": [0, 50]},
    }


ENGINE = Engine(
    runtime="toy-sum",
    task=TABLES,
    schema={
        "properties": {
            "features": {"$ref": "#/$defs/features"},
            "groups": {"$ref": "#/$defs/groups"},
            "target": {"$ref": "#/$defs/target"},
            "toy": {"type": "object", "required": ["rounding"], "properties": {"rounding": {"type": "integer"}}},
        },
        "required": ["features", "groups", "target", "toy"],
    },
    loader="toy_sum_engine:load",
    explainer="toy-parts",
)
EXPLAINER = Explainer(name="toy-parts", answer="toy_sum_engine:answer")
'''
ENTRY_POINTS = """[medportal.engines]
toy-sum = toy_sum_engine:ENGINE

[medportal.explainers]
toy-parts = toy_sum_engine:EXPLAINER
"""


def forget() -> None:
    engine_registry.engines.cache_clear()
    explainer_registry.explainers.cache_clear()
    package_reader._schema_for.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy, as ``pip install`` would leave it: a module and the distribution's entry points."""
    site = tmp_path / "site-packages"
    information = site / "toy_sum_engine-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "toy_sum_engine.py").write_text(TOY)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-sum-engine\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(site))
    forget()
    yield
    sys.modules.pop("toy_sum_engine", None)
    monkeypatch.undo()
    forget()


def title(text: str) -> dict[str, str]:
    return {"en": text, "zh-hans": text}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package of that kind."""
    folder = tmp_path / "packages" / "toy-total" / "1.0.0"
    folder.mkdir(parents=True)
    weights = json.dumps({"age": 2.0, "weight": -1.0}).encode()
    (folder / "weights.json").write_bytes(weights)
    feature = {"unit": "a", "low": 0, "high": 100, "typical": 50, "group": "all"}
    card: dict[str, Any] = {
        "schema": 1, "name": "toy-total", "version": "1.0.0", "title": title("Toy"), "task": "tabular-regression",
        "runtime": "toy-sum", "architecture": "weights", "toy": {"rounding": 2},
        "features": [{"code": code, "title": title(code), **feature} for code in ("age", "weight")],
        "groups": {"all": title("All")}, "target": {"title": title("Total"), "unit": title("points")},
        "metrics": [{"data": "none", "how": "exact", "patients": 1, "values": {}}], "intended_use": title("Tests"),
        "population": title("Nobody"), "limits": [title("It is a toy.")], "training_data": ["none"], "training": {},
        "licence": "Apache-2.0", "attribution": "", "files": {"weights.json": hashlib.sha256(weights).hexdigest()},
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_it_runs_from_installation_to_explanation(installed: None, folder: Path, doctor: User, settings: Any) -> None:
    settings.MODEL_PACKAGE_DIRS = [folder.parents[1]]
    assert installed_packages.synchronise().refused == []
    package = PackageVersion.objects.get(name="toy-total", active=True)
    trial = submit(package, {"row": {"age": 60.0, "weight": 70.0}}, actor=doctor)
    AnswerTrial().execute(trial.pk)
    trial = PlaygroundQuery.objects.get(pk=trial.pk)
    assert trial.state == State.SUCCEEDED, trial.reason
    assert trial.answer["output"] == 50.0
    assert trial.answer["base"] + sum(trial.answer["values"].values()) == trial.answer["output"]
    page = browser_of(doctor).get(f"/explanations/trials/{trial.pk}/")
    assert page.status_code == 200 and "points" in page.content.decode()


def test_its_own_part_of_the_card_is_checked(installed: None, folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "toy": {"rounding": "two"}}))
    with pytest.raises(PackageRefused, match="toy/rounding"):
        package_reader.read_package(folder)
    (folder / "card.json").write_text(json.dumps({**card, "fusion": {}}))
    with pytest.raises(PackageRefused, match="fusion"):
        package_reader.read_package(folder)


def test_without_it_the_package_is_refused_with_what_there_is(folder: Path) -> None:
    with pytest.raises(PackageRefused, match=r"no engine here is called 'toy-sum'; known: .*torch-film"):
        package_reader.read_package(folder)


def test_two_engines_of_one_name_are_an_error(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import toy_sum_engine  # type: ignore[import-not-found]

    object.__setattr__(toy_sum_engine.ENGINE, "runtime", "torch-film")
    engine_registry.engines.cache_clear()
    with pytest.raises(RuntimeError, match="torch-film"):
        engine_registry.engines()


def test_every_engine_has_an_explainer_and_a_loader_that_exist() -> None:
    from importlib import import_module

    assert len(engine_registry.engines()) >= len(engine_registry.BUILT_IN)
    for engine in engine_registry.engines().values():
        assert not engine.explainer or engine.explainer in explainer_registry.explainers()
        if engine.loader:
            module, _colon, function = engine.loader.partition(":")
            assert callable(getattr(import_module(module), function))

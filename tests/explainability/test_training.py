"""Training an explainer, small; and comparing explainers on this site's films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command

from apps.explainability.explainers.image.baselines import References
from apps.explainability.explainers.image.coalition_game import Regions
from apps.explainability.explainers.image.explainable import explainable
from apps.explainability.models import Comparison
from apps.explainability.training import fastshap, reference, train
from apps.inference.package_reader import read_package
from apps.inference.packages.card import Package, PackageRefused
from apps.inference.training.cxr_pneumonia.data import Films, synthetic_films
from tests.factories import film_file, film_pixels

SMALL = train.Recipes(
    reference=reference.ReferenceRecipe(planes=2, steps=4, batch=4),
    explainer=fastshap.ExplainerRecipe(coalitions=4, epochs=2, batch=4),
    compared=1,
    drawn=2,
    explainers=("amortised", "grad_cam"),
)


@pytest.fixture(scope="module")
def bundled() -> Package:
    return read_package(site.BASE_DIR / "apps/inference/bundled/cxr-pneumonia/1.1.1")


@pytest.fixture(scope="module")
def parts() -> dict[str, Films]:
    films = synthetic_films("validation", 12, workers=1, progress=lambda done, total: None)
    names = ("train", "validation", "validation_synthetic", "test_real")
    return dict.fromkeys(names, films)


def test_a_package_gets_an_explainer_that_adds_up(bundled: Package, parts: dict[str, Films], tmp_path: Path) -> None:
    output = tmp_path / "cxr-pneumonia/9.0.0"
    told: list[str] = []
    options = {"version": "9.0.0", "recipes": SMALL, "progress": lambda stage, *rest: told.append(stage)}
    card = train.train(bundled, parts, output, **options)  # type: ignore[arg-type]
    package = read_package(output)
    assert package.version == "9.0.0" and card["explainer"]["recipe"]["coalitions"] == 4
    assert {part["data"] for part in card["explainer"]["comparisons"]} == {"real films", "synthetic films"}
    assert {"healthy references", "coalitions", "explainer"} <= set(told)
    film = explainable(package)
    game = film.game(film.model.prepare(film_pixels(3, "focal", 320)))
    found = film.amortised_estimate(game)
    assert found is not None and np.abs(found.gaps).max() < 1e-6
    with pytest.raises(FileExistsError):
        train.train(bundled, parts, output, **options)  # type: ignore[arg-type]
    (output / "explainer.safetensors").write_bytes((output / "references.safetensors").read_bytes())
    with pytest.raises(PackageRefused, match="does not fit the card"):
        explainable(Package(output, package.card, "another digest"))


def test_training_improves_the_predictive_fidelity_of_the_explainer(bundled: Package, parts: dict[str, Films]) -> None:
    """On films that it trains on, some epochs must lower FastSHAP's loss: the learning works at all."""
    film = explainable(bundled)
    assert isinstance(film.references, References)
    regions = Regions((12, 12), (192, 192))
    planes = np.stack([film.model.prepare(plane) for plane in parts["train"].planes])
    recipe = fastshap.ExplainerRecipe(coalitions=16, epochs=12, batch=4)
    earned = fastshap.evaluate_coalitions(
        film.model.answer, planes, film.references, regions, recipe, lambda *told: None
    )
    network = train.new_network(bundled)
    before = fastshap.loss_of(network, earned, film.references)
    after = fastshap.fit(network, earned, earned, film.references, recipe, lambda *told: None)
    assert fastshap.loss_of(after, earned, film.references) < 0.95 * before


def test_a_site_compares_explainers_on_its_own_films(packages: None, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from apps.explainability.explainers.image import comparison

    few = {name: comparison.EXPLAINERS[name] for name in ("amortised", "grad_cam")}
    monkeypatch.setattr(comparison, "EXPLAINERS", few)
    ill, well = tmp_path / "ill.dcm", tmp_path / "well.dcm"
    ill.write_bytes(film_file(3, pattern="focal", size=320))
    well.write_bytes(film_file(4, size=320))
    call_command("compare_explainers", "cxr-pneumonia", str(ill), healthy=[well], title="Ours")
    row = Comparison.objects.get()
    assert row.films == 1 and {found["explainer"] for found in row.rows} == set(few)
    ours = next(found for found in row.rows if found["explainer"] == "amortised")
    assert ours["gap"] < 1e-6 and ours["advantage"] > 0.2
    with pytest.raises(CommandError, match="no film above the threshold"):
        call_command("compare_explainers", "cxr-pneumonia", str(well), healthy=[well], title="Ours")
    with pytest.raises(CommandError, match=r"installed: .*cxr-pneumonia"):
        call_command("compare_explainers", "astrology", str(well), healthy=[well], title="Ours")

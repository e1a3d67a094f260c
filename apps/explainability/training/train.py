"""Training of a package's explainer: references, coalition values, network, comparison, new card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from apps.explainability.explainers.image.amortised import Amortised, Explainer
from apps.explainability.explainers.image.baselines import References
from apps.explainability.explainers.image.comparison import Sample, compare, names_for
from apps.explainability.explainers.image.explainable import EXPLAINER, Explainable, explainer_network, regions_of
from apps.explainability.explainers.image.methods import GRID
from apps.explainability.training import fastshap, reference
from apps.explainability.training.repacking import repack
from apps.inference.engines.radiograph import networks
from apps.inference.engines.radiograph.model import WEIGHTS, RadiographModel
from apps.inference.packages.card import Package
from apps.inference.training.augmentation import augment
from apps.inference.training.cxr_pneumonia.data import SYNTHETIC_SEEDS, Films
from apps.inference.training.fitting import resize
from apps.inference.training.packing import begin
from apps.synthetic.radiograph import draw_film

Progress = Callable[[str, int, int, str], None]
VARIED = 256
"""Images augmented per batch."""
HOW = (
    "Positive films of held-back {what}; insertion and deletion of 24 x 24 regions, what is hidden replaced by the "
    "most similar healthy film of another patient (of the validation part; drawn films by drawn ones). Seconds: "
    "median, one CPU core that other work disturbed."
)


@dataclass(frozen=True)
class Recipes:
    """Hyperparameters of all steps."""

    reference: reference.ReferenceRecipe = field(default_factory=reference.ReferenceRecipe)
    explainer: fastshap.ExplainerRecipe = field(default_factory=fastshap.ExplainerRecipe)
    compared: int = 500
    drawn: int = 100
    explainers: tuple[str, ...] = ()
    """Explainers to compare; empty: all that support images."""


def train(
    package: Package, parts: dict[str, Films], output: Path, *, version: str, recipes: Recipes, progress: Progress
) -> dict[str, Any]:
    """Learn references and explainer, compare explainers and write a new version of the package.

    Args:
        parts: ``train``, ``validation``, ``validation_synthetic``, ``test_real``: the classifier's own splits.

    Returns:
        The card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    model, regions = RadiographModel(package, device="cpu"), regions_of(package)
    films, held = _planes(parts["train"], package), _held(parts, package)
    references = reference.learn(
        model.class_log_probabilities,
        films,
        parts["train"].labels == 0,
        parts["train"].groups,
        regions,
        recipes.reference,
        lambda *update: progress("healthy references", *update),
    )
    shown = np.concatenate([films, *_varied(parts["train"], package, recipes.explainer)])
    seen, held_out = (
        fastshap.evaluate_coalitions(
            model.answer, some, references, regions, recipes.explainer, lambda *update, n=name: progress(n, *update)
        )
        for name, some in (("coalitions", shown), ("coalitions, held back", held))
    )
    network = fastshap.fit(
        new_network(package),
        seen,
        held_out,
        references,
        recipes.explainer,
        lambda *update: progress("explainer", *update),
    )
    film = Explainable(model, regions, references, Amortised(_copy(package, network), regions))
    comparisons = measure(film, package, parts, recipes, progress)
    return write(package, output, version, network, references, recipes, comparisons)


def new_network(package: Package) -> Explainer:
    """An explainer initialised with the classifier's trained trunk."""
    classifier = networks.build(package.card["architecture"], outputs=len(package.card["calibration"]["bias"]))
    classifier.load_state_dict(load_file(package.folder / WEIGHTS))
    explainer = explainer_network(package, classifier.features)
    for module in explainer.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.1  # torchvision's 0.01 is too slow for a few thousand steps
    return explainer


def measure(
    film: Explainable, package: Package, parts: dict[str, Films], recipes: Recipes, progress: Progress
) -> list[dict[str, Any]]:
    """Compare explainers on held-out real and synthetic images."""
    comparisons = []
    real = _planes(parts["test_real"], package)
    positive = film.model.probabilities(real)[:, 0] >= package.labels[0].threshold
    chosen = [Sample(plane) for plane in real[positive][: recipes.compared]]
    healthy = _planes(parts["validation"].take(np.flatnonzero(parts["validation"].labels == 0)), package)
    drawn_healthy = parts["validation_synthetic"].take(np.flatnonzero(parts["validation_synthetic"].labels == 0))
    sets = [
        ("real films", chosen, healthy, "patients"),
        ("synthetic films", drawn(package, film, recipes.drawn), _planes(drawn_healthy, package), "seeds"),
    ]
    for data, samples, others, what in sets:
        rows = compare(
            film,
            samples,
            others,
            output=0,
            names=recipes.explainers or names_for(film),
            progress=lambda *update, n=data: progress(f"comparing on {n}", *update),
        )
        comparisons.append({"data": data, "films": len(samples), "how": HOW.format(what=what), "rows": rows})
    return comparisons


def drawn(package: Package, film: Explainable, count: int) -> list[Sample]:
    """Synthetic images with one opacity of known position, from unseen seeds, that the model finds positive."""
    samples = []
    for number in range(count):
        picture = draw_film(SYNTHETIC_SEEDS["test"] + 1 + 3 * number, pattern="focal", size=320)
        plane = film.model.prepare(picture.pixels)
        if film.model.probabilities(plane[None])[0, 0] >= package.labels[0].threshold:
            truth = torch.nn.functional.interpolate(
                torch.from_numpy(picture.opacity.astype(np.float32))[None, None], plane.shape, mode="area"
            )
            samples.append(Sample(plane, truth[0, 0].numpy() > 0.5))
    return samples


def write(
    package: Package,
    output: Path,
    version: str,
    network: Explainer,
    references: References,
    recipes: Recipes,
    comparisons: list[dict[str, Any]],
) -> dict[str, Any]:
    """Write a new version of the package with the explainer's files and comparison."""
    halves = {
        name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()
    }
    save_file({name: value.contiguous() for name, value in halves.items()}, output / EXPLAINER)
    explainer = {
        "method": "FastSHAP (Jethani et al., ICLR 2022), sums corrected to the model's answer",
        "grid": GRID,
        "baseline": "learned healthy reference planes",
        "reference_recipe": asdict(recipes.reference),
        "recipe": asdict(recipes.explainer),
        "comparisons": comparisons,
    }
    return repack(package, output, version=version, references=references, explainer=explainer)


def _copy(package: Package, network: Explainer) -> Explainer:
    """Copy the network, since loading it as explainer folds its batch norms in place."""
    other = explainer_network(package)
    other.load_state_dict(network.state_dict())
    return other


def _planes(films: Films, package: Package) -> npt.NDArray[np.uint8]:
    return resize(torch.from_numpy(films.planes), package.size).numpy().astype(np.uint8)


def _varied(films: Films, package: Package, recipe: fastshap.ExplainerRecipe) -> list[npt.NDArray[np.uint8]]:
    """Augmented copies of the images."""
    generator = torch.Generator().manual_seed(recipe.seed)
    return [
        augment(torch.from_numpy(films.planes[start : start + VARIED]), size=package.size, generator=generator)
        .round()
        .numpy()
        .astype(np.uint8)
        for _copy in range(recipe.varied)
        for start in range(0, len(films), VARIED)
    ]


def _held(parts: dict[str, Films], package: Package) -> npt.NDArray[np.uint8]:
    return np.concatenate([_planes(parts[name], package) for name in ("validation", "validation_synthetic")])

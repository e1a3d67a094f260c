"""A package prepared for explanation: its model, learned references and amortised explainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from apps.explainability.explainers.image import adaptive_regions, gradients, partition, sampled
from apps.explainability.explainers.image.amortised import Amortised, efficient
from apps.explainability.explainers.image.amortised import Explainer as Network
from apps.explainability.explainers.image.anatomy import volume_zones, zones
from apps.explainability.explainers.image.attribution import Attribution, Budget
from apps.explainability.explainers.image.baselines import References, baseline
from apps.explainability.explainers.image.coalition_game import Game, Regions, Values
from apps.explainability.explainers.image.methods import grid_of, methods_for
from apps.inference.engines.radiograph import networks
from apps.inference.engines.radiograph.model import RadiographModel
from apps.inference.engines.runtime_cache import RuntimeCache, loaded_model
from apps.inference.packages.card import VOLUMES, Package, PackageRefused

EXPLAINER = "explainer.safetensors"
REFERENCES = "references.safetensors"
SEED = 17
"""Seed of the coalitions, so that explanations are reproducible."""


@dataclass(frozen=True)
class Explainable:
    """Everything needed to explain a package's outputs."""

    model: RadiographModel
    regions: Regions
    references: References | None
    amortised: Amortised | None

    @property
    def maskers(self) -> tuple[str, ...]:
        """Available baselines, the best one first."""
        learned = ("reference",) if self.references else ()
        return (*learned, "mean") if self.model.package.task == VOLUMES else (*learned, "blur", "inpaint", "mean")

    def zones(self, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.int64] | None:
        """Anatomical zones as indices into anatomy.ZONES over tiles or voxels; None if unknown."""
        if self.model.package.task == VOLUMES:
            return volume_zones(np.asarray(plane, dtype=np.float32), self.model.package.card["preprocessing"]["window"])
        return None if self.references is None else zones(self.references.thumbnails[self.references.of(plane)])

    def game(
        self,
        plane: npt.NDArray[np.generic],
        *,
        masker: str = "",
        regions: Regions | None = None,
        on_evaluations: Callable[[int], None] = lambda evaluations: None,
    ) -> Game:
        """Create the game of an image; by default with the best baseline and the package's own regions."""
        hidden = baseline(masker or self.maskers[0], plane, self.references)
        return Game(
            self.model.answer,
            plane,
            hidden,
            regions or self.regions,
            device=self.model.device,
            on_evaluations=on_evaluations,
        )

    def amortised_estimate(self, game: Game) -> Attribution | None:
        """The amortised explainer's estimate, by one forward pass; None if the package has none."""
        if self.amortised is None:
            return None
        empty, full = game.ends
        values = self.amortised.values(game.film.cpu().numpy(), game.baseline.cpu().numpy(), (empty, full))
        return Attribution(values.reshape(*empty.shape, *self.regions.grid), empty, full, game.evaluations)

    def preview(self, game: Game) -> Attribution | None:
        """A fast estimate: the amortised explainer's for images, the first steps of the search for volumes."""
        return adaptive_regions.preview(game) if game.film.ndim > 2 else self.amortised_estimate(game)

    def explain(self, game: Game, method: str, watched: tuple[int, ...], budget: Budget) -> Iterator[Attribution]:
        """Explain by a method; yields increasingly precise attributions.

        Raises:
            ValueError: for an unknown method, or one that does not support this kind of model.
        """
        use_estimate = method in ("amortised", "sampled") and game.regions == self.regions
        first = self.amortised_estimate(game) if use_estimate else None
        if method == "amortised" and first is not None:
            return iter([first])
        prior = None if first is None else first.by_region(game)
        makers: dict[str, Callable[..., Iterator[Attribution]]] = {
            "sampled": partial(_sampled, prior),
            "partition": partition.explain,
            "gradient": gradients.expected,
            "deep": gradients.deep,
        }
        if method not in makers or method not in methods_for(self.model.package.task):
            raise ValueError(f"no such explainer for this package: {method}")
        return makers[method](game, watched, budget)


def explainer_network(package: Package, trunk: Any = None) -> Network:
    """An untrained explainer for the package; its trunk has the classifier's architecture unless one is given."""
    if trunk is None:
        trunk = networks.build(package.card["architecture"], outputs=len(package.card["calibration"]["bias"])).features
    return Network(trunk, len(package.labels), regions_of(package).grid)


def regions_of(package: Package) -> Regions:
    """The regions (players) of a package's inputs."""
    return Regions(grid_of(package.card), package.shape)


def _sampled(prior: Values | None, game: Game, watched: tuple[int, ...], budget: Budget) -> Iterator[Attribution]:
    rng = np.random.default_rng(SEED)
    if game.film.ndim > 2:
        return adaptive_regions.explain(game, watched, budget, rng=rng)
    if prior is not None:
        prior = efficient(prior, game.ends)
    return sampled.sample(game, prior=prior, watched=watched, budget=budget, rng=rng)


def _load(package: Package) -> Explainable:
    model = loaded_model(package)
    if "explainer" not in package.card:
        return Explainable(model, regions_of(package), None, None)
    try:
        stored = load_file(package.folder / REFERENCES)
        references = References(stored["planes"].numpy(), stored["thumbnails"].float().numpy())
        if EXPLAINER not in package.card["files"]:
            return Explainable(model, regions_of(package), references, None)
        network = explainer_network(package)
        network.load_state_dict(
            {name: _to_float(value) for name, value in load_file(package.folder / EXPLAINER).items()}
        )
    except (KeyError, RuntimeError, OSError, SafetensorError) as error:
        raise PackageRefused(f"{package.name} {package.version}: the explainer does not fit the card") from error
    regions = regions_of(package)
    return Explainable(model, regions, references, Amortised(network, regions, model.device))


def _to_float(value: Any) -> Any:
    """Convert weights stored in half precision, which suffices since the sums are corrected."""
    return value.float() if value.dtype == torch.float16 else value


explainable = RuntimeCache(_load)
"""The :class:`Explainable` of a verified package, cached per process.

Raises:
    PackageRefused: if the explainer's files do not match the card.
"""

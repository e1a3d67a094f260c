"""Adding healthy references and an explainer comparison to ``ct-nodule``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from apps.explainability.explainers.image.baselines import References, thumbnails
from apps.explainability.explainers.image.coalition_game import Regions
from apps.explainability.explainers.image.comparison import Sample, compare, names_for
from apps.explainability.explainers.image.explainable import Explainable
from apps.explainability.explainers.image.methods import VOLUME_GRID
from apps.explainability.training.repacking import repack
from apps.inference.engines.volume.model import VolumeModel
from apps.inference.packages.card import Package
from apps.inference.training.ct_nodule.data import Volumes, draw_volumes
from apps.inference.training.packing import begin

Progress = Callable[[str, int, int, str], None]
HOW = (
    "Drawn volumes with a nodule that the model finds, of seeds that no training saw; insertion and deletion of "
    "12 x 16 x 16 regions, what is hidden replaced by the most similar drawn healthy volume of another seed. Seconds: "
    "median, one CPU core that other work disturbed."
)


@dataclass(frozen=True)
class VolumeRecipe:
    """Hyperparameters: references are means of similar healthy volumes, which show no individual vessels."""

    healthy: int = 200
    references: int = 4
    compared: int = 40
    judges: int = 60
    seed: int = 11


def equip(
    package: Package, output: Path, *, version: str, recipe: VolumeRecipe, workers: int, progress: Progress
) -> dict[str, Any]:
    """Learn references, compare explainers on simulated volumes and write a new version; return its card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)

    def draw(part: str, count: int) -> Volumes:
        def drawn(done: int, total: int) -> None:
            progress(f"drawing {part}", done, total, "")

        return draw_volumes(part, count, workers=workers, progress=drawn)

    healthy = draw("reference", recipe.healthy + recipe.judges)
    references = learn(healthy.boxes[: recipe.healthy], recipe)
    model = VolumeModel(package, device="cpu")
    film = Explainable(model, Regions(VOLUME_GRID, package.shape), references, None)
    seen = draw("test", 4 * recipe.compared)
    positive = (seen.labels == 1) & (model.probabilities(seen.boxes)[:, 0] >= package.labels[0].threshold)
    samples = [Sample(box, nodule) for box, nodule in zip(seen.boxes[positive], seen.nodules[positive], strict=True)][
        : recipe.compared
    ]
    rows = compare(
        film,
        samples,
        healthy.boxes[recipe.healthy :],
        output=0,
        names=names_for(film),
        progress=lambda *update: progress("comparing", *update),
    )
    comparison = {"data": "drawn volumes", "films": len(samples), "how": HOW, "rows": rows}
    explainer = {
        "method": "Bayesian Kernel SHAP among boxes that close in on what matters; no learned estimate",
        "grid": list(VOLUME_GRID),
        "baseline": "means of alike healthy drawn volumes",
        "reference_recipe": asdict(recipe),
        "recipe": {},
        "comparisons": [comparison],
    }
    return repack(package, output, version=version, references=references, explainer=explainer)


def learn(boxes: npt.NDArray[np.uint8], recipe: VolumeRecipe) -> References:
    """Learn references as cluster means of healthy volumes (n, *shape)."""
    small = thumbnails(boxes)
    clusters = KMeans(recipe.references, n_init=4, random_state=recipe.seed).fit(small)
    means = np.stack([boxes[clusters.labels_ == number].mean(axis=0) for number in range(recipe.references)])
    planes = np.round(means).astype(np.uint8)
    return References(planes, thumbnails(planes))

"""ICU risk model, runtime ``stays``: an ensemble of boosted trees and GRUs, blended and calibrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from scipy.special import expit

from apps.inference.engines.icu_timeseries.features import HOURS, STATICS, Grid, feature_owners, features
from apps.inference.engines.icu_timeseries.trajectory import Course, standardised
from apps.inference.engines.tree_table.trees import Trees, is_well_formed
from apps.inference.packages.card import Package, PackageRefused

MEMBERS = "members.safetensors"
FIRST = 6
"""First hour with a prediction."""
BANDS = (12, 30, HOURS)
"""Upper hours of the bands with separate trees, since feature importance changes during a stay."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """Combines the log-odds of trees and GRU into one calibrated risk; weights are linear in the hour.

    Attributes:
        weights: (2, 3): constant, trees, GRU at hour 27; and their change from hour 27 to 48.
    """

    weights: Values

    def risk(self, trees: Values, course: Values, hour: Values | float) -> Values:
        """Probabilities from log-odds; all arguments broadcast."""
        late = (np.asarray(hour) - 27.0) / 21.0
        constant, first, second = (self.weights[0, index] + late * self.weights[1, index] for index in range(3))
        return np.asarray(expit(constant + first * trees + second * course))


@dataclass(frozen=True)
class Member:
    """An ensemble member: trees per band and a GRU, trained on the same stays."""

    trees: tuple[Trees, ...]
    course: Course
    centre: Values
    scale: Values

    def tree_log_odds(self, table: npt.NDArray[np.float32], hour: int) -> Values:
        """Log-odds (stays,) of the trees, from the features at this hour."""
        return self.trees[band_of(hour)].predict(table)

    def course_log_odds(self, grid: Grid) -> Values:
        """Log-odds (stays, HOURS) of the GRU."""
        with torch.inference_mode():
            return np.asarray(self.course(*standardised(grid, self.centre, self.scale)).double().numpy())


def band_of(hour: int) -> int:
    """Index of the hour's band in BANDS."""
    return next(index for index, last in enumerate(BANDS) if hour <= last)


@dataclass(frozen=True)
class StaysModel:
    """A loaded ICU risk package."""

    members: tuple[Member, ...]
    blend: Blend
    codes: tuple[str, ...]

    def risks(self, grid: Grid, hours: tuple[int, ...]) -> Values:
        """Risks (members + 1, stays, hours) after each of ``hours`` (FIRST to HOURS); the last row is the ensemble."""
        tables = [features(grid, hour, self.codes) for hour in hours]
        trees = np.stack(
            [
                np.stack([member.tree_log_odds(table, hour) for table, hour in zip(tables, hours, strict=True)], axis=1)
                for member in self.members
            ]
        )
        at = np.array(hours)
        course = np.stack([member.course_log_odds(grid)[:, at - 1] for member in self.members])
        trees, course = (np.concatenate([part, part.mean(axis=0, keepdims=True)]) for part in (trees, course))
        return self.blend.risk(trees, course, at.astype(float))


def read_stays(package: Package) -> StaysModel:
    """Load the model of a package.

    Raises:
        PackageRefused: if the file does not match the card.
    """
    codes = tuple(variable["code"] for variable in package.card["variables"])
    try:
        stored = load_file(package.folder / MEMBERS)
        count = 1 + max(int(name.split(".")[0]) for name in stored if name[0].isdigit())
        members = tuple(_member(stored, number, codes) for number in range(count))
        return StaysModel(members, Blend(stored["blend"].astype(np.float64)), codes)
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {MEMBERS} does not fit the card") from error


def _member(stored: dict[str, npt.NDArray[np.generic]], number: int, codes: tuple[str, ...]) -> Member:
    own = {name.split(".", 1)[1]: array for name, array in stored.items() if name.split(".")[0] == str(number)}
    trees = tuple(_trees(own, f"trees{band}.", len(feature_owners(codes))) for band in range(len(BANDS)))
    weights = {name.split(".", 1)[1]: array for name, array in own.items() if name.startswith("course.")}
    hidden = weights["cell.weight_hh_l0"].shape[1]
    course = Course(len(codes), len(STATICS), hidden=hidden)
    course.load_state_dict(
        {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in weights.items()}
    )
    return Member(trees, course.eval(), own["centre"].astype(np.float64), own["scale"].astype(np.float64))


def _trees(own: dict[str, npt.NDArray[np.generic]], prefix: str, features: int) -> Trees:
    trees = Trees(**{name[len(prefix) :]: array for name, array in own.items() if name.startswith(prefix)})  # type: ignore[arg-type]
    if not is_well_formed(trees, features):
        raise ValueError("the trees have invalid child or feature indices")
    return trees


__all__ = ["BANDS", "FIRST", "HOURS", "MEMBERS", "Blend", "Member", "StaysModel", "band_of", "read_stays"]

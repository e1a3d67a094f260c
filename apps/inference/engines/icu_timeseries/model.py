"""Running a package of stays: the runtime ``stays``, members of boosted trees and a GRU, blended and calibrated."""

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
from apps.inference.engines.tree_table.trees import Trees, sound
from apps.inference.packages.card import Package, PackageRefused

MEMBERS = "members.safetensors"
FIRST = 6
"""The hour from which there is an answer."""
BANDS = (12, 30, HOURS)
"""Each member has trees for the hours up to each of these: what matters changes as a stay goes on."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """Log-odds of trees and course to one calibrated risk; weights change linearly with the hour.

    Attributes:
        weights: (2, 3): constant, trees, course; and what each gains from hour 27 to 48.
    """

    weights: Values

    def risk(self, trees: Values, course: Values, hour: Values | float) -> Values:
        """Probabilities from log-odds of one shape."""
        late = (np.asarray(hour) - 27.0) / 21.0
        constant, first, second = (self.weights[0, place] + late * self.weights[1, place] for place in range(3))
        return np.asarray(expit(constant + first * trees + second * course))


@dataclass(frozen=True)
class Member:
    """Trees of each of BANDS and a course that learned from the same stays."""

    trees: tuple[Trees, ...]
    course: Course
    centre: Values
    scale: Values

    def tree_log_odds(self, table: npt.NDArray[np.float32], hour: int) -> Values:
        """(stays,) of the features after this hour."""
        return self.trees[band_of(hour)].predict(table)

    def course_log_odds(self, grid: Grid) -> Values:
        """(stays, HOURS)."""
        with torch.inference_mode():
            return np.asarray(self.course(*standardised(grid, self.centre, self.scale)).double().numpy())


def band_of(hour: int) -> int:
    """The place in BANDS."""
    return next(place for place, last in enumerate(BANDS) if hour <= last)


@dataclass(frozen=True)
class StaysModel:
    """A loaded package of stays."""

    members: tuple[Member, ...]
    blend: Blend
    codes: tuple[str, ...]

    def risks(self, grid: Grid, hours: tuple[int, ...]) -> Values:
        """(members + 1, stays, hours) risks after these hours, from FIRST to HOURS: all members' own, then together."""
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
    """The package's model.

    Raises:
        PackageRefused: if the file does not fit the card.
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
    trees = tuple(_trees(own, f"trees{place}.", len(feature_owners(codes))) for place in range(len(BANDS)))
    weights = {name.split(".", 1)[1]: array for name, array in own.items() if name.startswith("course.")}
    hidden = weights["cell.weight_hh_l0"].shape[1]
    course = Course(len(codes), len(STATICS), hidden=hidden)
    course.load_state_dict(
        {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in weights.items()}
    )
    return Member(trees, course.eval(), own["centre"].astype(np.float64), own["scale"].astype(np.float64))


def _trees(own: dict[str, npt.NDArray[np.generic]], beginning: str, features: int) -> Trees:
    trees = Trees(**{name[len(beginning) :]: array for name, array in own.items() if name.startswith(beginning)})  # type: ignore[arg-type]
    if not sound(trees, features):
        raise ValueError("the trees point outside themselves")
    return trees


__all__ = ["BANDS", "FIRST", "HOURS", "MEMBERS", "Blend", "Member", "StaysModel", "band_of", "read_stays"]

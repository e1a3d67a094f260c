"""Stays in intensive care as arrays: measurements by hour, and what gradient boosting is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOURS = 48
RECENT = 6
"""What happened within the last hours is told apart from what was before."""
STATICS = ("age", "male", "height", "weight", "coronary", "cardiac_surgery", "medical", "surgical")
SUMMARIES = ("last", "first", "mean", "low", "high", "spread", "slope", "change", "share", "since")
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """What was measured in each hour.

    Attributes:
        mean, low, high: (stays, HOURS, variables) over the hour's values; NaN where nothing was measured.
        static: (stays, len(STATICS)); NaN where unknown.
    """

    mean: Values
    low: Values
    high: Values
    static: Values

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, rows: npt.NDArray[np.generic] | slice) -> Grid:
        return Grid(self.mean[rows], self.low[rows], self.high[rows], self.static[rows])

    def without(self, hidden: npt.NDArray[np.bool_], hidden_static: npt.NDArray[np.bool_]) -> Grid:
        """The first stay once for each row of ``hidden``, (n, HOURS, variables), with these values unmeasured."""
        mean, low, high = (np.where(hidden, np.float32(np.nan), part[:1]) for part in (self.mean, self.low, self.high))
        return Grid(mean, low, high, np.where(hidden_static, np.float32(np.nan), self.static[:1]))


def grid_of(
    stays: npt.NDArray[np.integer],
    hours: npt.NDArray[np.integer],
    variables: npt.NDArray[np.integer],
    values: npt.NDArray[np.floating],
    static: npt.NDArray[np.floating],
    *,
    width: int,
) -> Grid:
    """Sort measurements into hours.

    Args:
        stays, hours, variables, values: one entry a measurement; hours from 0 to HOURS - 1.
        static: (stays, len(STATICS)).
        width: how many variables there are.
    """
    shape = (len(static), HOURS, width)
    place = np.ravel_multi_index((stays, hours, variables), shape)
    total = np.bincount(place, weights=values, minlength=int(np.prod(shape)))
    count = np.bincount(place, minlength=int(np.prod(shape)))
    low, high = np.full(total.size, np.inf), np.full(total.size, -np.inf)
    np.minimum.at(low, place, values)
    np.maximum.at(high, place, values)
    empty = count == 0
    mean = np.where(empty, np.nan, total / np.maximum(count, 1))
    low[empty] = high[empty] = np.nan
    levels, least, most = (part.reshape(shape).astype(np.float32) for part in (mean, low, high))
    return Grid(levels, least, most, static.astype(np.float32))


def features(grid: Grid, hour: int, codes: Sequence[str]) -> Values:
    """(stays, features): each variable's summaries over the hours before ``hour``, relations, statics, the hour.

    Args:
        codes: of the variables, in the grid's order.
    """
    mean, low, high = (part[:, :hour] for part in (grid.mean, grid.low, grid.high))
    seen = np.isfinite(mean)
    count = seen.sum(axis=1, dtype=np.float32)
    never = count == 0
    at = np.arange(hour, dtype=np.float32)[None, :, None]
    filled = np.where(seen, mean, np.float32(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        average = filled.sum(axis=1) / count
        apart = np.where(seen, mean - average[:, None], np.float32(0))
        spread = np.sqrt((apart**2).sum(axis=1) / count)
        middle = np.where(seen, at, np.float32(0)).sum(axis=1) / count
        away = np.where(seen, at - middle[:, None], np.float32(0))
        slope = (away * apart).sum(axis=1) / (away**2).sum(axis=1)
        late, early = seen[:, -RECENT:], seen[:, :-RECENT]
        recent = filled[:, -RECENT:].sum(axis=1) / late.sum(axis=1)
        before = filled[:, :-RECENT].sum(axis=1) / early.sum(axis=1)
    newest = hour - 1 - seen[:, ::-1].argmax(axis=1)
    oldest = seen.argmax(axis=1)
    summaries = (
        _at(mean, newest),
        _at(mean, oldest),
        average,
        np.where(never, np.nan, np.where(seen, low, np.inf).min(axis=1)),
        np.where(never, np.nan, np.where(seen, high, -np.inf).max(axis=1)),
        spread,
        slope,
        recent - before,
        count / hour,
        np.where(never, np.nan, hour - newest),
    )
    table = np.stack(summaries, axis=2).reshape(len(mean), -1)
    relations = _relations({code: place for place, code in enumerate(codes)}, summaries, filled, grid.static, hour)
    return np.concatenate([table, relations, grid.static, np.full((len(mean), 1), hour)], axis=1).astype(np.float32)


RELATIONS = ("shock_index", "oxygenation", "urea_over_creatinine", "urine_ml_kg_h", "pulse_pressure", "lowest_map")


def feature_owners(codes: Sequence[str]) -> list[str]:
    """To which variable or static each feature belongs; relations of several belong to themselves."""
    return [*(code for code in codes for _ in SUMMARIES), *RELATIONS, *STATICS, "hour"]


def _relations(
    place: dict[str, int], summaries: tuple[npt.NDArray[np.floating], ...], filled: Values, static: Values, hour: int
) -> npt.NDArray[np.floating]:
    """What intensive care reckons with: (stays, len(RELATIONS))."""
    last, _first, _average, low, *_ = summaries
    nothing = np.full(len(last), np.nan)

    def of(table: npt.NDArray[np.floating], *codes: str) -> npt.NDArray[np.floating]:
        """The first of these variables that was measured."""
        found = nothing
        for code in reversed(codes):
            if code in place:
                column = table[:, place[code]]
                found = np.where(np.isfinite(column), column, found)
        return found

    systolic, diastolic = of(last, "SysABP", "NISysABP"), of(last, "DiasABP", "NIDiasABP")
    urine = filled[:, :, place["Urine"]].sum(axis=1) if "Urine" in place else nothing
    weight = static[:, STATICS.index("weight")]
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (
            of(last, "HR") / systolic,
            of(last, "PaO2") / of(last, "FiO2"),
            of(last, "BUN") / of(last, "Creatinine"),
            urine / np.where(np.isfinite(weight), weight, 80) / hour,
            systolic - diastolic,
            np.fmin(of(low, "MAP"), of(low, "NIMAP")),
        )
    table = np.stack(columns, axis=1)
    return np.where(np.isfinite(table), table, np.nan)


def _at(table: Values, places: npt.NDArray[np.integer]) -> Values:
    return np.asarray(np.take_along_axis(table, places[:, None], axis=1)[:, 0])

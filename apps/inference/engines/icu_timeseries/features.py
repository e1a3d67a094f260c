"""ICU stays as arrays: hourly measurements, and the features of the gradient-boosted trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOURS = 48
RECENT = 6
"""Hours of the recent window, compared with the time before it."""
STATICS = ("age", "male", "height", "weight", "coronary", "cardiac_surgery", "medical", "surgical")
SUMMARIES = ("last", "first", "mean", "low", "high", "spread", "slope", "change", "share", "since")
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Hourly measurements of stays.

    Attributes:
        mean, low, high: (stays, HOURS, variables) mean, minimum and maximum within the hour; NaN if not measured.
        static: (stays, len(STATICS)); NaN if unknown.
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
        """Mask the first stay: one copy per row of ``hidden``, (n, HOURS, variables), with those values set to NaN."""
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
    """Aggregate measurements by hour.

    Args:
        stays, hours, variables, values: one entry per measurement; stays and variables are indices, hours 0 to
            HOURS - 1.
        static: (stays, len(STATICS)).
        width: number of variables.
    """
    shape = (len(static), HOURS, width)
    flat = np.ravel_multi_index((stays, hours, variables), shape)
    total = np.bincount(flat, weights=values, minlength=int(np.prod(shape)))
    count = np.bincount(flat, minlength=int(np.prod(shape)))
    low, high = np.full(total.size, np.inf), np.full(total.size, -np.inf)
    np.minimum.at(low, flat, values)
    np.maximum.at(high, flat, values)
    empty = count == 0
    mean = np.where(empty, np.nan, total / np.maximum(count, 1))
    low[empty] = high[empty] = np.nan
    levels, lowest, highest = (part.reshape(shape).astype(np.float32) for part in (mean, low, high))
    return Grid(levels, lowest, highest, static.astype(np.float32))


def features(grid: Grid, hour: int, codes: Sequence[str]) -> Values:
    """Feature matrix (stays, features): summaries per variable before ``hour``, ratios, statics, the hour.

    Args:
        codes: variable codes, in the grid's order.
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
    relations = _relations({code: index for index, code in enumerate(codes)}, summaries, filled, grid.static, hour)
    return np.concatenate([table, relations, grid.static, np.full((len(mean), 1), hour)], axis=1).astype(np.float32)


RELATIONS = ("shock_index", "oxygenation", "urea_over_creatinine", "urine_ml_kg_h", "pulse_pressure", "lowest_map")


def feature_owners(codes: Sequence[str]) -> list[str]:
    """The variable or static each feature is derived from; ratios of several variables stand for themselves."""
    return [*(code for code in codes for _ in SUMMARIES), *RELATIONS, *STATICS, "hour"]


def _relations(
    index: dict[str, int], summaries: tuple[npt.NDArray[np.floating], ...], filled: Values, static: Values, hour: int
) -> npt.NDArray[np.floating]:
    """Clinical ratios and differences used in intensive care, (stays, len(RELATIONS))."""
    last, _first, _average, low, *_ = summaries
    nothing = np.full(len(last), np.nan)

    def of(table: npt.NDArray[np.floating], *codes: str) -> npt.NDArray[np.floating]:
        """The first of these variables that was measured."""
        values = nothing
        for code in reversed(codes):
            if code in index:
                column = table[:, index[code]]
                values = np.where(np.isfinite(column), column, values)
        return values

    systolic, diastolic = of(last, "SysABP", "NISysABP"), of(last, "DiasABP", "NIDiasABP")
    urine = filled[:, :, index["Urine"]].sum(axis=1) if "Urine" in index else nothing
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


def _at(table: Values, hours: npt.NDArray[np.integer]) -> Values:
    return np.asarray(np.take_along_axis(table, hours[:, None], axis=1)[:, 0])

"""Risk trajectory over the hours of a stay, its drivers, and what-if values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.explainability.explainers.timeseries.shap_stays import STRETCH, explain
from apps.inference.engines.icu_timeseries.features import STATICS, Grid, grid_of
from apps.inference.engines.icu_timeseries.model import FIRST, StaysModel
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package


def answer(
    package: Package,
    *,
    hour: int,
    measured: Sequence[tuple[int, int, float]],
    person: dict[str, float],
    supposed: dict[int, float],
    explained: bool = True,
) -> dict[str, Any]:
    """Run the model on a stay up to ``hour``.

    Args:
        hour: end of the observation window, in hours after admission.
        measured: (hour, variable index, value).
        person: static features by the names in STATICS.
        supposed: what-if values by variable index; each replaces the newest measured value.
        explained: whether to compute SHAP values (``drivers``).

    Returns:
        ``risk``, ``band`` (minimum and maximum of the ensemble), ``course`` (rows of hour, risk, minimum, maximum
        from hour FIRST on), ``drivers`` (SHAP values of variables by intervals of hours, in probability), ``newest``
        (value by code), ``threshold``, ``without_age``.
    """
    runtime = loaded_model(package)
    grid = _grid(runtime, hour, measured, person, supposed)
    hours = tuple(range(FIRST, hour + 1))
    risks = runtime.risks(grid, hours)[:, 0]
    members, mean = risks[:-1], risks[-1]
    # The ensemble mean is within the members' range except for rounding.
    course = [
        [
            at,
            float(mean[index]),
            float(min(members[:, index].min(), mean[index])),
            float(max(members[:, index].max(), mean[index])),
        ]
        for index, at in enumerate(hours)
    ]
    result: dict[str, Any] = {
        "hour": hour,
        "risk": course[-1][1],
        "band": course[-1][2:],
        "course": course,
        "threshold": package.card["thresholds"]["death"]["value"],
        "newest": {runtime.codes[index]: value for _at, index, value in measured}
        | {runtime.codes[p]: v for p, v in supposed.items()},
        "without_age": "age" not in person,
    }
    if explained:
        result["drivers"] = _drivers(runtime, grid, hour)
    return result


def _grid(
    runtime: StaysModel,
    hour: int,
    measured: Sequence[tuple[int, int, float]],
    person: dict[str, float],
    supposed: dict[int, float],
) -> Grid:
    static = np.array([[person.get(name, np.nan) for name in STATICS]])
    rows = [row for row in measured if row[0] < hour]
    for index, value in supposed.items():
        last = max((at for at, other, _value in rows if other == index), default=hour - 1)
        rows = [row for row in rows if row[:2] != (last, index)] + [(last, index, value)]
    hours, variables, values = (np.array(column) for column in zip(*rows, strict=True))
    stays = np.zeros(len(rows), dtype=np.int64)
    return grid_of(
        stays,
        hours.astype(np.int64),
        variables.astype(np.int64),
        values.astype(float),
        static,
        width=len(runtime.codes),
    )


def _drivers(runtime: StaysModel, grid: Grid, hour: int) -> dict[str, Any]:
    attribution = explain(lambda grids: runtime.risks(grids, (hour,))[-1, :, 0], grid, hour)
    sums = attribution.values.sum(axis=1)
    order = np.argsort(-np.abs(sums))
    return {
        "stretch": STRETCH,
        "base": attribution.base,
        "output": attribution.output,
        "gap": attribution.gap,
        "evaluations": attribution.evaluations,
        "stopped": attribution.stopped,
        "person": attribution.person,
        "variables": [
            {
                "code": runtime.codes[attribution.rows[index]],
                "value": float(sums[index]),
                "by_stretch": np.round(attribution.values[index], 5).tolist(),
                "half_width": float(attribution.half_width[index]),
            }
            for index in order
        ],
    }

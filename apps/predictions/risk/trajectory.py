"""The risk over the hours of a stay, what drives it, and what would be if."""

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
    """What the model says of a stay after ``hour``.

    Args:
        measured: hour, place of the variable, value.
        person: by names of STATICS.
        supposed: value by place of the variable, instead of the newest one.

    Returns:
        ``risk``, ``band`` (least and greatest of the members), ``course`` (hour, risk, least, greatest from FIRST on),
        ``drivers`` (variables by stretches of hours, in probability), ``newest`` (value by code).
    """
    runtime = loaded_model(package)
    grid = _grid(runtime, hour, measured, person, supposed)
    hours = tuple(range(FIRST, hour + 1))
    risks = runtime.risks(grid, hours)[:, 0]
    members, together = risks[:-1], risks[-1]
    # The blend of means lies within the members' range but for rounding.
    course = [
        [
            at,
            float(together[place]),
            float(min(members[:, place].min(), together[place])),
            float(max(members[:, place].max(), together[place])),
        ]
        for place, at in enumerate(hours)
    ]
    said: dict[str, Any] = {
        "hour": hour,
        "risk": course[-1][1],
        "band": course[-1][2:],
        "course": course,
        "threshold": package.card["thresholds"]["death"]["value"],
        "newest": {runtime.codes[place]: value for _at, place, value in measured}
        | {runtime.codes[p]: v for p, v in supposed.items()},
        "without_age": "age" not in person,
    }
    if explained:
        said["drivers"] = _drivers(runtime, grid, hour)
    return said


def _grid(
    runtime: StaysModel,
    hour: int,
    measured: Sequence[tuple[int, int, float]],
    person: dict[str, float],
    supposed: dict[int, float],
) -> Grid:
    static = np.array([[person.get(name, np.nan) for name in STATICS]])
    rows = [one for one in measured if one[0] < hour]
    for place, value in supposed.items():
        last = max((at for at, other, _value in rows if other == place), default=hour - 1)
        rows = [one for one in rows if one[:2] != (last, place)] + [(last, place, value)]
    hours, places, values = (np.array(column) for column in zip(*rows, strict=True))
    stays = np.zeros(len(rows), dtype=np.int64)
    return grid_of(
        stays, hours.astype(np.int64), places.astype(np.int64), values.astype(float), static, width=len(runtime.codes)
    )


def _drivers(runtime: StaysModel, grid: Grid, hour: int) -> dict[str, Any]:
    found = explain(lambda many: runtime.risks(many, (hour,))[-1, :, 0], grid, hour)
    sums = found.values.sum(axis=1)
    order = np.argsort(-np.abs(sums))
    return {
        "stretch": STRETCH,
        "base": found.base,
        "output": found.output,
        "gap": found.gap,
        "evaluations": found.evaluations,
        "stopped": found.stopped,
        "person": found.person,
        "variables": [
            {
                "code": runtime.codes[found.rows[place]],
                "value": float(sums[place]),
                "by_stretch": np.round(found.values[place], 5).tolist(),
                "half_width": float(found.half_width[place]),
            }
            for place in order
        ],
    }

"""Engine ``stays``: risk over the hours of an ICU stay."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import SERIES

ENGINE = Engine(
    runtime="stays",
    task=SERIES,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.icu_timeseries.model:read_stays",
    explainer="timeseries",
)

"""Engine ``fusion``: late fusion of the risks of several sources."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import FUSION

ENGINE = Engine(
    runtime="fusion",
    task=FUSION,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.fusion.model:fusion_of",
    explainer="fusion",
)

"""Engine ``factors``: ranking of recommendations; loaded by ``apps.recommendations.ranking``."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import RANKING

ENGINE = Engine(
    runtime="factors",
    task=RANKING,
    schema=schema_beside(__file__),
    loader="",
)

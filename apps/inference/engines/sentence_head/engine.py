"""Engine ``sentences``: a linear head on sentence vectors."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import TEXTS

ENGINE = Engine(
    runtime="sentences",
    task=TEXTS,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.sentence_head.head:read_head",
    explainer="text",
)

"""Engine ``words``: a linear model over tf-idf weighted words and bigrams."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import TEXTS

ENGINE = Engine(
    runtime="words",
    task=TEXTS,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.bag_of_words.words:read_words",
    explainer="text",
)

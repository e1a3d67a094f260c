"""Engine ``transformers``: a Hugging Face sequence classifier."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import TEXTS

ENGINE = Engine(
    runtime="transformers",
    task=TEXTS,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.transformer_text.classifier:read_classifier",
    explainer="text",
)

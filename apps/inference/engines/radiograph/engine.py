"""Engine ``torch-film``: a classifier of single greyscale images."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import FILMS, check_labels

ENGINE = Engine(
    runtime="torch-film",
    task=FILMS,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.radiograph.model:RadiographModel",
    explainer="image",
    check_card=check_labels,
)

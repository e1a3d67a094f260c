"""Engine ``torch-volume``: a classifier of volumes."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import VOLUMES, check_labels

ENGINE = Engine(
    runtime="torch-volume",
    task=VOLUMES,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.volume.model:VolumeModel",
    explainer="image",
    check_card=check_labels,
)

"""Engine ``skops``: any scikit-learn estimator for tabular data."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import TABLES, check_groups

ENGINE = Engine(
    runtime="skops",
    task=TABLES,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.sklearn_table.estimator:Estimator",
    explainer="tabular",
    check_card=check_groups,
)

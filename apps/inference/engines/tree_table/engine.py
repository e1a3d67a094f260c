"""Engine ``trees``: gradient-boosted trees for tabular data."""

from __future__ import annotations

from apps.inference.engines.registry import Engine, schema_beside
from apps.inference.packages.card import TABLES, check_groups

ENGINE = Engine(
    runtime="trees",
    task=TABLES,
    schema=schema_beside(__file__),
    loader="apps.inference.engines.tree_table.trees:read_trees",
    explainer="tabular",
    check_card=check_groups,
)

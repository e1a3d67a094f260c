"""Batch prediction of ICU stays from a table of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.inference.engines.icu_timeseries.features import HOURS
from apps.inference.engines.icu_timeseries.model import FIRST
from apps.inference.engines.runtime_cache import loaded_model
from apps.inference.packages.card import Package
from apps.inference.training.icu_deterioration.data import stays_of

BLOCK = 500
"""Stays per batch."""


def risks(package: Package, paths: Sequence[Path], hours: tuple[int, ...]) -> Any:
    """Predict a cohort: a data frame of record_id, hour, risk, least, greatest, one row per stay and hour.

    Args:
        paths: Parquet files with the columns record_id, minute, parameter, value.
        hours: from FIRST to HOURS.

    Raises:
        FileNotFoundError: for a path that does not exist.
        ValueError: for an hour out of range, or a table without these columns.
    """
    import pandas as pd

    if not hours or min(hours) < FIRST or max(hours) > HOURS:
        raise ValueError(f"hours lie from {FIRST} to {HOURS}")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"{', '.join(missing)} does not exist")
    stays = stays_of(pd.concat([_table(path) for path in paths]))
    runtime = loaded_model(package)
    parts = [runtime.risks(stays.grid[rows], hours) for rows in _blocks(len(stays.records))]
    everything = np.concatenate(parts, axis=1)
    members, ensemble = everything[:-1], everything[-1]
    return pd.DataFrame(
        {
            "record_id": np.repeat(stays.records, len(hours)),
            "hour": np.tile(hours, len(stays.records)),
            "risk": ensemble.ravel(),
            "least": np.minimum(members.min(axis=0), ensemble).ravel(),
            "greatest": np.maximum(members.max(axis=0), ensemble).ravel(),
        }
    )


def write(table: Any, path: Path, *, parquet: bool) -> None:
    """Write a table as Parquet or CSV."""
    if parquet:
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, float_format="%.6f")


def _table(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no Parquet table") from error


def _blocks(count: int) -> list[Any]:
    return [np.arange(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]

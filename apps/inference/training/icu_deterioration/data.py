"""Reading the stays of the PhysioNet/Computing in Cardiology Challenge 2012."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.inference.engines.icu_timeseries.features import HOURS, STATICS, Grid, grid_of

SETS = ("a", "b")
CODES = (
    "ALP", "ALT", "AST", "Albumin", "BUN", "Bilirubin", "Cholesterol", "Creatinine", "DiasABP", "FiO2", "GCS",
    "Glucose", "HCO3", "HCT", "HR", "K", "Lactate", "MAP", "MechVent", "Mg", "NIDiasABP", "NIMAP", "NISysABP", "Na",
    "PaCO2", "PaO2", "Platelets", "RespRate", "SaO2", "SysABP", "Temp", "TroponinI", "TroponinT", "Urine", "WBC",
    "Weight", "pH",
)  # fmt: skip
COLUMNS = ("record_id", "minute", "parameter", "value")
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "DiasABP": (10, 200), "NIDiasABP": (10, 200), "SysABP": (20, 300), "NISysABP": (20, 300), "MAP": (15, 250),
    "NIMAP": (15, 250), "HR": (15, 300), "RespRate": (1, 90), "Temp": (25, 44), "Weight": (25, 300), "pH": (6.5, 8.0),
    "SaO2": (30, 100), "PaO2": (15, 600), "PaCO2": (5, 150), "FiO2": (0.21, 1.0), "Urine": (0, 5000),
}  # fmt: skip
"""Plausible ranges; values outside are artefacts: zero pressures, pH 735, temperatures of a disconnected probe."""


@dataclass(frozen=True)
class Stays:
    """Stays with their outcome.

    Attributes:
        records: (n,) record ids.
        died: (n,) in-hospital death; all False without outcome data.
    """

    records: npt.NDArray[np.int64]
    grid: Grid
    died: npt.NDArray[np.bool_]


def read_set(folder: Path) -> Stays:
    """Read all stays of the folder's sets with their outcomes.

    Raises:
        FileNotFoundError: naming the file that is missing.
    """
    import pandas as pd

    parts = []
    for name in SETS:
        table, outcomes = folder / f"set-{name}.parquet", folder / f"outcomes-{name}.csv"
        for path in (table, outcomes):
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing: the folder must hold set-a, set-b and their outcomes")
        stays = stays_of(pd.read_parquet(table))
        truth = pd.read_csv(outcomes).set_index("RecordID")["In-hospital_death"]
        parts.append(Stays(stays.records, stays.grid, truth.reindex(stays.records).to_numpy() == 1))
    grids = [part.grid for part in parts]
    whole = Grid(
        *(np.concatenate([getattr(grid, name) for grid in grids]) for name in ("mean", "low", "high", "static"))
    )
    return Stays(np.concatenate([part.records for part in parts]), whole, np.concatenate([part.died for part in parts]))


def stays_of(frame: Any) -> Stays:
    """Build stays from a table with COLUMNS, one row per measurement; -1 means unknown.

    Raises:
        ValueError: if a column is missing or the table is empty.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing or not len(frame):
        raise ValueError(f"the table must have the columns {', '.join(COLUMNS)}, and rows")
    records, stays = np.unique(frame["record_id"].to_numpy(), return_inverse=True)
    parameters = frame["parameter"].astype(str).to_numpy()
    values = frame["value"].to_numpy(dtype=np.float64)
    hours = frame["minute"].to_numpy() // 60
    known = {code: index for index, code in enumerate(CODES)}
    variables = np.array([known.get(name, -1) for name in parameters])
    usable = (variables >= 0) & (values != -1) & np.isfinite(values) & (hours >= 0) & (hours < HOURS)
    for code, (low, high) in PLAUSIBLE.items():
        selected = variables == known[code]
        values = np.where(selected & (code == "pH") & (values > 100), values / 100, values)
        values = np.where(selected & (code == "pH") & (values > 10), values / 10, values)
        usable &= ~selected | ((values >= low) & (values <= high))
    table = grid_of(
        stays[usable], hours[usable], variables[usable], values[usable], _static(records, stays, parameters, values),
        width=len(CODES),
    )  # fmt: skip
    return Stays(records.astype(np.int64), table, np.zeros(len(records), dtype=bool))


def _static(
    records: npt.NDArray[Any], stays: npt.NDArray[Any], parameters: npt.NDArray[Any], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Static features (stays, len(STATICS))."""
    columns_by_name = {}
    for name in ("Age", "Gender", "Height", "Weight", "ICUType"):
        column = np.full(len(records), np.nan)
        rows = np.flatnonzero((parameters == name) & (values >= 0))[::-1]  # the first one wins
        column[stays[rows]] = values[rows]
        columns_by_name[name] = column
    height = columns_by_name["Height"]
    height = np.where((height >= 120) & (height <= 220), height, np.nan)
    weight = np.where(
        (columns_by_name["Weight"] >= 25) & (columns_by_name["Weight"] <= 300), columns_by_name["Weight"], np.nan
    )
    unit = [
        np.where(np.isnan(columns_by_name["ICUType"]), np.nan, columns_by_name["ICUType"] == number)
        for number in (1, 2, 3, 4)
    ]
    columns = dict(
        zip(STATICS, [columns_by_name["Age"], columns_by_name["Gender"], height, weight, *unit], strict=True)
    )
    return np.stack([columns[name] for name in STATICS], axis=1)

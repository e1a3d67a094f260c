"""Scikit-learn estimators and pipelines as tabular models, runtime ``skops``.

A skops file lists the types it contains; those of scikit-learn, NumPy and SciPy are rebuilt from their state, and a
file with any other type is refused before any of its code runs (skops.readthedocs.io, "Secure persistence").
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from apps.inference.packages.card import Package, PackageRefused

MODEL, BACKGROUND = "model.skops", "background.safetensors"
MAX_BYTES = 512 * 2**20
"""Maximum unpacked size, against ZIP bombs."""
Values = npt.NDArray[np.float64]


class Estimator:
    """A regressor, or a binary classifier whose output is the probability of the second class.

    Attributes:
        background: (rows, features) background sample for explanations.
    """

    def __init__(self, package: Package) -> None:
        where, features = f"{package.name} {package.version}", len(package.card["features"])
        self._estimator = _opened(package.folder / MODEL, where)
        try:
            self.background: Values = np.asarray(load_file(package.folder / BACKGROUND)["rows"], dtype=np.float64)
        except (SafetensorError, OSError, KeyError) as error:
            raise PackageRefused(f"{where}: {BACKGROUND} holds no array 'rows'") from error
        known = getattr(self._estimator, "n_features_in_", features)
        if self.background.ndim != 2 or {self.background.shape[1], known} != {features} or not len(self.background):
            raise PackageRefused(f"{where}: model, comparison rows and card differ in the number of features")
        if not hasattr(self._estimator, "predict"):
            raise PackageRefused(f"{where}: {MODEL} holds nothing that predicts")
        if self._classes is not None and len(self._classes) != 2:
            raise PackageRefused(f"{where}: a classifier needs two classes, this one has {len(self._classes)}")

    @property
    def _classes(self) -> Any:
        return getattr(self._estimator, "classes_", None)

    def predict(self, rows: npt.NDArray[np.floating]) -> Values:
        """Outputs (n,) for rows (n, features)."""
        estimator = self._estimator
        answers = estimator.predict(rows) if self._classes is None else estimator.predict_proba(rows)[:, 1]
        return np.asarray(answers, dtype=np.float64).reshape(len(rows))


def _opened(path: Path, where: str) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_BYTES:
                raise PackageRefused(f"{where}: {MODEL} is larger than {MAX_BYTES // 2**20} MiB when unpacked")
        return skops.io.load(path, trusted=[])
    except UntrustedTypesFoundException as refusal:
        raise PackageRefused(
            f"{where}: {MODEL} holds types that are not scikit-learn's own: {refusal}"[:300]
        ) from refusal
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError) as error:
        raise PackageRefused(f"{where}: {MODEL} is no model that this scikit-learn reads: {error}"[:300]) from error

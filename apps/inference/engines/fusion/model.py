"""Running a package of fusion: the runtime ``fusion``, several sources' log-odds in one calibrated risk.

Late fusion: each source that is there adds its own evidence, one that is missing adds what its absence means. So the
risk can be told whatever is missing, and a source's share is the exact Shapley value of having it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from apps.inference.packages.card import Package


@dataclass(frozen=True)
class Source:
    """One source's part: ``weight`` × (log-odds - ``centre``) if it is there, else ``absent``.

    Log-odds beyond ``least`` and ``most`` count as these: nothing was learned of such evidence.
    """

    weight: float
    centre: float
    absent: float
    least: float
    most: float


@dataclass(frozen=True)
class Fusion:
    """A loaded package of fusion."""

    constant: float
    sources: dict[str, Source]

    def risk(self, probabilities: Mapping[str, float]) -> float:
        """Of the sources that are there."""
        total = self.constant
        for name, source in self.sources.items():
            if name in probabilities:
                odds = float(logit(np.clip(probabilities[name], 1e-4, 1 - 1e-4)))
                total += source.weight * (float(np.clip(odds, source.least, source.most)) - source.centre)
            else:
                total += source.absent
        return float(expit(total))


def fusion_of(package: Package) -> Fusion:
    """The package's fusion; it lies in the card alone."""
    fusion = package.card["fusion"]
    return Fusion(fusion["constant"], {name: Source(**source) for name, source in fusion["sources"].items()})

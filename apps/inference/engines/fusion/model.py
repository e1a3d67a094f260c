"""Late fusion, runtime ``fusion``: the log-odds of several sources combined into one calibrated risk.

An available source contributes its evidence, a missing one a constant for its absence. The risk is therefore defined
for any subset of sources, and a source can be attributed by its exact Shapley value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from apps.inference.packages.card import Package


@dataclass(frozen=True)
class Source:
    """A source's contribution: ``weight`` × (log-odds - ``centre``) if available, else ``absent``.

    Log-odds are clipped to [``least``, ``most``], the range seen in training.
    """

    weight: float
    centre: float
    absent: float
    least: float
    most: float


@dataclass(frozen=True)
class Fusion:
    """A loaded fusion package."""

    constant: float
    sources: dict[str, Source]

    def risk(self, probabilities: Mapping[str, float]) -> float:
        """Risk from the available sources, given their probabilities by name."""
        total = self.constant
        for name, source in self.sources.items():
            if name in probabilities:
                odds = float(logit(np.clip(probabilities[name], 1e-4, 1 - 1e-4)))
                total += source.weight * (float(np.clip(odds, source.least, source.most)) - source.centre)
            else:
                total += source.absent
        return float(expit(total))


def fusion_of(package: Package) -> Fusion:
    """Build the fusion model of a package; its parameters are on the card."""
    fusion = package.card["fusion"]
    return Fusion(fusion["constant"], {name: Source(**source) for name, source in fusion["sources"].items()})

"""Where an explanation stops being sound; also the web process reads these, so nothing large is imported here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ADDS_UP = 0.01
"""Largest gap of the accounting: 1 % of a probability's range."""
STABLE = 0.5
"""Least correlation of the regions of a film and of the film with a little noise."""
FORETELLS = 0.2
"""Least correlation of what attributions foretell and what the model says of films with random halves hidden."""
DECIDED = 0.025
"""Where so small a share of the regions, the strongest, decides the answer, the order is no chance: one random
choice of as many in 40 would hold the one that matters. The areas' steps are too coarse to tell that of one small
finding.
"""
CONSTANT = 1e-6
"""Answers that differ by less are the same."""

Numbers = npt.NDArray[np.floating]


def certain(values: Numbers, half_width: Numbers | None) -> Numbers:
    """What is drawn and told of attributions: where their 95 % interval holds nothing they are 0.

    Most boxes of a volume are known roughly only; together they would hide the few that matter.
    """
    return values if half_width is None else np.where(np.abs(values) > half_width, values, np.zeros_like(values))

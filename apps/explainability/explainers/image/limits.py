"""Quality limits of explanations. No large imports: the web process uses this module."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAX_GAP = 0.01
"""Maximum efficiency gap: 1 % of the range of a probability."""
MIN_STABILITY = 0.5
"""Minimum correlation of the attributions of an image and of the image with slight noise."""
MIN_FIDELITY = 0.2
"""Minimum correlation of predicted and actual outputs for images with random halves hidden."""
MAX_DECISIVE_SHARE = 0.025
"""If hiding this small a share of the strongest regions reverses the output, the ranking is not random: only one in 40
random choices of as many regions would include the decisive one. The steps of the insertion and deletion curves are
too coarse to show that for a single small finding.
"""
CONSTANT_RANGE = 1e-6
"""Outputs within this range count as constant."""

Numbers = npt.NDArray[np.floating]


def certain(values: Numbers, half_width: Numbers | None) -> Numbers:
    """Set attributions whose 95 % interval includes 0 to 0, for display.

    Most regions of a volume are only roughly estimated; together they would obscure the few relevant ones.
    """
    return values if half_width is None else np.where(np.abs(values) > half_width, values, np.zeros_like(values))

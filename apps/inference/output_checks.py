"""Validation of model output before it is stored: an invalid number must never read as a negative finding.

NaN compares false with every threshold, and databases disagree on it (PostgreSQL sorts it above every number, SQLite
stores NULL), so it must not get past this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from apps.jobs.errors import UserError

INVALID = "model_output_invalid"
ROUNDING = 1e-6
"""Rounding tolerance of probabilities outside [0, 1]."""
PROBABILITIES: dict[str, Callable[[Any], Iterable[float]]] = {
    "risk": lambda risk: [risk],
    "probability": lambda probability: [probability],
    "band": lambda band: band,
    "course": lambda course: [value for _hour, *values in course for value in values],
    "following": lambda events: [probability for _code, probability in events],
    "probabilities": lambda probabilities: probabilities.values(),
    "outputs": lambda outputs: outputs.values(),
}
"""Keys of any model's output that hold probabilities, with a function that extracts them."""


def checked_probabilities(values: Iterable[float]) -> list[float]:
    """Validate probabilities; values outside [0, 1] by rounding are clipped.

    Raises:
        UserError: ``model_output_invalid`` if one is not finite or outside [0, 1].
    """
    numbers = [float(value) for value in values]
    if not all(-ROUNDING <= number <= 1 + ROUNDING for number in numbers):  # false for NaN
        raise UserError(INVALID)
    return [min(max(number, 0.0), 1.0) for number in numbers]


def require_finite(answer: Any) -> None:
    """Check every number of an output recursively: JSON values and arrays.

    Raises:
        UserError: ``model_output_invalid`` if one is NaN or infinite.
    """
    if isinstance(answer, float | np.floating):
        finite = math.isfinite(answer)
    elif isinstance(answer, np.ndarray):
        finite = answer.dtype.kind != "f" or bool(np.isfinite(answer).all())
    else:
        finite = True
        parts = answer.values() if isinstance(answer, Mapping) else answer if _is_list(answer) else ()
        for part in parts:
            require_finite(part)
    if not finite:
        raise UserError(INVALID)


def require_valid_answer(answer: Mapping[str, Any]) -> None:
    """Check an output: every number is finite, and those under PROBABILITIES are within [0, 1].

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_finite(answer)
    for name, value in answer.items():
        if name in PROBABILITIES:
            checked_probabilities(PROBABILITIES[name](value))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes)

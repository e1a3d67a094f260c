"""What a model answers is checked before any of it is stored: one that is no number must never read as "not there".

NaN compares as false with every threshold, and databases disagree on it (PostgreSQL sorts it above every number, SQLite
stores NULL), so nothing after this may meet it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from apps.jobs.errors import UserError

INVALID = "model_output_invalid"
ROUNDING = 1e-6
"""By so much a sum of probabilities may miss [0, 1]."""
PROBABILITIES: dict[str, Callable[[Any], Iterable[float]]] = {
    "risk": lambda risk: [risk],
    "probability": lambda probability: [probability],
    "band": lambda band: band,
    "course": lambda course: [value for _hour, *values in course for value in values],
    "following": lambda events: [probability for _code, probability in events],
    "probabilities": lambda probabilities: probabilities.values(),
    "outputs": lambda outputs: outputs.values(),
}
"""Which parts of an answer are probabilities, whatever the model, and how to get at them."""


def checked_probabilities(values: Iterable[float]) -> list[float]:
    """Probabilities as they may be stored; what misses [0, 1] by rounding is put on its edge.

    Raises:
        UserError: ``model_output_invalid`` if one is not finite or lies outside [0, 1].
    """
    numbers = [float(value) for value in values]
    if not all(-ROUNDING <= number <= 1 + ROUNDING for number in numbers):  # false for NaN
        raise UserError(INVALID)
    return [min(max(number, 0.0), 1.0) for number in numbers]


def require_finite(answer: Any) -> None:
    """Check every number of an answer, however deeply nested: JSON values and arrays.

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
    """Check an answer: every number finite, and what its name says is a probability within [0, 1].

    Raises:
        UserError: ``model_output_invalid``.
    """
    require_finite(answer)
    for name, value in answer.items():
        if name in PROBABILITIES:
            checked_probabilities(PROBABILITIES[name](value))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes)

"""Conditions as FHIRPath (HL7 FHIRPath 2.0), the language of PlanDefinition's applicability conditions.

What is not known stays unknown: an empty collection takes part in no comparison, so "age < 5" is not true of a patient
without a date of birth. That is why this is FHIRPath and not JSON Logic, where nothing is smaller than five.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from antlr4.error.Errors import ParseCancellationException, RecognitionException
from fhirpathpy import compile as compiled

LONGEST = 2000
Facts = dict[str, Any]


class InvalidExpression(Exception):
    """An expression that cannot be evaluated; the text says why, and holds no patient data."""


def check(expression: str) -> None:
    """Whether it can be evaluated at all, tried on a patient of whom nothing is known.

    Raises:
        InvalidExpression: saying why not.
    """
    evaluate(expression, {})


def evaluate(expression: str, facts: Facts) -> list[Any]:
    """The collection that an expression stands for.

    Raises:
        InvalidExpression: if it cannot be read, or stumbles over the facts.
    """
    try:
        return list(_compiled(expression)(facts))
    except InvalidExpression:
        raise
    except RecursionError:
        raise InvalidExpression("the expression is nested too deeply") from None
    except Exception as error:  # the library raises bare ones for whatever a stranger's expression does
        raise InvalidExpression(
            f"the expression cannot be evaluated ({type(error).__name__}): {expression[:120]}"
        ) from None


def holds(expression: str, facts: Facts) -> bool | None:
    """Whether a condition is fulfilled; None if that is not known.

    Raises:
        InvalidExpression: if it cannot be evaluated, or is no condition.
    """
    found = evaluate(expression, facts)
    if not found:
        return None
    if len(found) == 1 and isinstance(found[0], bool):
        return found[0]
    raise InvalidExpression(f"the expression is no condition: it gives neither true nor false: {expression[:120]}")


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    if len(expression) > LONGEST:
        raise InvalidExpression(f"an expression has at most {LONGEST} signs")
    if not expression.strip():
        raise InvalidExpression("the expression is empty")
    try:
        return compiled(expression)
    except (RecognitionException, ParseCancellationException, RecursionError) as error:
        raise InvalidExpression(f"the expression cannot be read: {expression[:120]}") from error
    except Exception as error:
        raise InvalidExpression(
            f"the expression cannot be read ({type(error).__name__}): {expression[:120]}"
        ) from error

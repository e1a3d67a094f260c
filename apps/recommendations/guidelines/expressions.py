"""Evaluate conditions in FHIRPath (HL7 FHIRPath 2.0), as in FHIR PlanDefinition applicability conditions.

Unknown facts propagate as empty collections: "age < 5" is not true for a patient without a date of birth. JSON Logic
was rejected because there null compares as less than 5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from antlr4.error.Errors import ParseCancellationException, RecognitionException
from fhirpathpy import compile as compiled

MAX_LENGTH = 2000
Facts = dict[str, Any]


class InvalidExpression(Exception):
    """An expression that cannot be evaluated; the message gives the reason and contains no patient data."""


def check(expression: str) -> None:
    """Check that an expression can be evaluated, using empty facts.

    Raises:
        InvalidExpression: if it cannot.
    """
    evaluate(expression, {})


def evaluate(expression: str, facts: Facts) -> list[Any]:
    """Evaluate an expression to its collection.

    Raises:
        InvalidExpression: if it cannot be parsed, or fails on the facts.
    """
    try:
        return list(_compiled(expression)(facts))
    except InvalidExpression:
        raise
    except RecursionError:
        raise InvalidExpression("the expression is nested too deeply") from None
    except Exception as error:  # fhirpathpy raises arbitrary exceptions on invalid expressions
        raise InvalidExpression(
            f"the expression cannot be evaluated ({type(error).__name__}): {expression[:120]}"
        ) from None


def holds(expression: str, facts: Facts) -> bool | None:
    """Evaluate a condition; None if the result is unknown (empty).

    Raises:
        InvalidExpression: if it cannot be evaluated, or its result is not a single boolean.
    """
    results = evaluate(expression, facts)
    if not results:
        return None
    if len(results) == 1 and isinstance(results[0], bool):
        return results[0]
    raise InvalidExpression(f"the expression is no condition: it gives neither true nor false: {expression[:120]}")


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    if len(expression) > MAX_LENGTH:
        raise InvalidExpression(f"an expression has at most {MAX_LENGTH} signs")
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

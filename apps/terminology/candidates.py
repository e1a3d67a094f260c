"""What words may mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """What words may mean.

    Attributes:
        system: ``drug``, ``allergen``, ``condition``, ``observation`` or ``vaccine``.
        code: RxNorm code of the ingredient (empty for combinations and where RxNorm has none), id of the allergen,
            ICD-10-CM, LOINC or CVX code.
        name: preferred name.
        matched: the words of the text that were understood.
        certainty: in [0, 1]; 1 if the words name exactly this.
        ingredients: names of a drug's active ingredients, in small letters.
    """

    system: str
    code: str
    name: str
    matched: str
    certainty: float
    ingredients: tuple[str, ...] = ()

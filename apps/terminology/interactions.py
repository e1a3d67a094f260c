"""Interactions between two drugs: rules between classes, and listed pairs of ingredients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

from django.utils.translation import gettext as _

from apps.terminology.allergens import SEVERITIES, Severity
from apps.terminology.data_files import own_lines, packed_lines
from apps.terminology.drug_classes import expanded
from apps.terminology.drugs import Ingredient, drug_names
from apps.terminology.localisation import in_language


@dataclass(frozen=True, slots=True)
class Interaction:
    """What two ingredients do together.

    Attributes:
        effect: in the current language.
        source: list or label that the statement is from.
    """

    left: str
    right: str
    severity: Severity
    effect: str
    source: str


@dataclass(frozen=True, slots=True)
class _Rule:
    left: frozenset[str]
    right: frozenset[str]
    severity: Severity
    effect: dict[str, str]
    source: str
    exempt: frozenset[frozenset[str]]


def interaction_between(left: tuple[str, ...], right: tuple[str, ...]) -> Interaction | None:
    """The worst interaction between the ingredients of two preparations; None if none is known.

    Ingredients that both preparations have are not compared: that is a duplicate and no interaction.
    """
    shared = set(left) & set(right)
    pairs = product([name for name in left if name not in shared], [name for name in right if name not in shared])
    found = [found for pair in pairs if (found := _of_pair(*pair))]
    return min(found, key=lambda row: SEVERITIES.index(row.severity), default=None)


def _of_pair(left: str, right: str) -> Interaction | None:
    found = [
        Interaction(left, right, rule.severity, in_language(rule.effect), rule.source)
        for rule in _rules()
        if (left in rule.left and right in rule.right) or (right in rule.left and left in rule.right)
        if frozenset((left, right)) not in rule.exempt
    ]
    if not found and (severity := _listed(left, right)):
        effect = _("listed as contraindicated") if severity == "contraindicated" else _("listed as an interaction")
        found = [Interaction(left, right, severity, effect, "ANSM 2020; VA 2018")]
    return min(found, key=lambda row: SEVERITIES.index(row.severity), default=None)


@cache
def _rules() -> tuple[_Rule, ...]:
    rules = []
    for line in own_lines("interactions.tsv"):
        left, right, severity, english, chinese, source, *exempt = line.split("\t")
        pairs = [frozenset(pair.split("+")) for pair in (exempt[0].split("|") if exempt else [])]
        effect = {"en": english, "zh-hans": chinese}
        rules.append(
            _Rule(expanded(left), expanded(right), severity, effect, source, frozenset(pairs))  # type: ignore[arg-type]
        )
    return tuple(rules)


def _listed(left: str, right: str) -> Severity | None:
    known: list[Ingredient] = [drug_names().ingredient(left), drug_names().ingredient(right)]
    return _pairs().get(" ".join(sorted(part.rxcui for part in known)))


@cache
def _pairs() -> dict[str, Severity]:
    rows = (line.split("\t") for line in packed_lines("interaction_pairs.tsv.gz"))
    return {f"{left} {right}": severity for left, right, severity in rows}  # type: ignore[misc]

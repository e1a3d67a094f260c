"""What guidelines say of one patient: what to propose, what to hold back, and from which facts.

Rules decide what is allowed; learning only orders it (:mod:`apps.recommendations.ranking`). Whatever forbids an item
wins: a contraindication, a rule against it, something that has to come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from apps.recommendations.guidelines.expressions import Facts, InvalidExpression, evaluate, holds

Words = Mapping[str, str]
URGENCIES = ("routine", "soon", "urgent")


@dataclass(frozen=True)
class Evidence:
    """A fact that a rule shows: what it is called, and the expression that finds it."""

    title: Words
    expression: str
    unit: str = ""


@dataclass(frozen=True)
class Rule:
    """A guideline's statement as data.

    Attributes:
        condition: FHIRPath over the facts.
        effect: ``propose`` or ``avoid``.
        urgency: one of URGENCIES.
        due_days: by when.
        repeat_days: after it was done, not again for so long; 0: once.
        citation: where it says so.
    """

    code: str
    version: int
    item: str
    condition: str
    citation: str
    url: str = ""
    grade: str = ""
    effect: str = "propose"
    urgency: str = "routine"
    due_days: int = 90
    repeat_days: int = 0
    because: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Contraindication:
    """When an item must not be proposed."""

    condition: str
    reason: Words


@dataclass(frozen=True)
class Item:
    """What the rules speak of, as far as deciding needs it.

    Attributes:
        after: codes of items that have to be done before.
    """

    code: str
    kind: str
    contraindications: tuple[Contraindication, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """What a rule went by, in a person's words."""

    title: dict[str, str]
    values: list[str]
    unit: str


@dataclass(frozen=True)
class Justification:
    """A rule that holds, with its facts."""

    rule: Rule
    facts: list[Fact]


@dataclass
class Decision:
    """What the rules say of one item.

    Attributes:
        held_back: why it is not proposed, by language; empty if it is.
    """

    item: str
    grounds: list[Justification] = field(default_factory=list)
    against: list[Justification] = field(default_factory=list)
    held_back: list[dict[str, str]] = field(default_factory=list)

    @property
    def proposed(self) -> bool:
        """Whether a clinician should look at it."""
        return bool(self.grounds) and not self.held_back

    @property
    def urgency(self) -> str:
        """The most pressing of its rules."""
        return max((ground.rule.urgency for ground in self.grounds), key=URGENCIES.index)

    @property
    def due_days(self) -> int:
        """The nearest of its rules' days."""
        return min(ground.rule.due_days for ground in self.grounds)


@dataclass(frozen=True)
class Verdict:
    """All decisions of one patient, and rules that could not be evaluated: (code, why)."""

    decisions: list[Decision]
    broken: list[tuple[str, str]]


class Circular(Exception):
    """Items that wait for each other; the text names them in their circle."""


def in_order(items: Iterable[Item]) -> list[str]:
    """Codes of items, those that others wait for first.

    Raises:
        Circular: if some wait for each other.
    """
    try:
        return list(TopologicalSorter({item.code: item.after for item in items}).static_order())
    except CycleError as error:
        raise Circular(" → ".join(str(code) for code in error.args[1])) from None


def decide(
    facts: Facts, rules: Iterable[Rule], items: Mapping[str, Item], done: Mapping[str, int] | None = None
) -> Verdict:
    """Ask every rule of one patient.

    Args:
        facts: see :mod:`apps.recommendations.patient_facts`; what is unknown is absent.
        items: by code; rules of items that are not there (withdrawn) are passed over.
        done: days since each item was last done.

    A rule that cannot be evaluated is reported and stops no other one. If it is a contraindication that cannot be
    evaluated, or one of which is not known whether it holds for want of facts, the item is held back for the first and
    proposed for the second: a clinician decides, and sees which.
    """
    done = done or {}
    found: dict[str, Decision] = {}
    broken: list[tuple[str, str]] = []
    for rule in rules:
        if rule.item not in items:
            continue
        try:
            if not holds(rule.condition, facts):
                continue
            ground = Justification(rule, [_fact(because, facts) for because in rule.because])
        except InvalidExpression as error:
            broken.append((rule.code, str(error)))
            continue
        decision = found.setdefault(rule.item, Decision(rule.item))
        if rule.effect == "avoid":
            decision.against.append(ground)
        elif not _too_soon(rule, done):
            decision.grounds.append(ground)
    decisions = [decision for decision in found.values() if decision.grounds]
    for decision in decisions:
        decision.held_back += [_citation(ground.rule) for ground in decision.against]
        decision.held_back += _forbidden(items[decision.item], facts, broken)
        waiting = [code for code in items[decision.item].after if code not in done]
        decision.held_back += [{"en": f"First: {code}", "zh-hans": f"须先完成：{code}"} for code in waiting]
    return Verdict(decisions, broken)


def _forbidden(item: Item, facts: Facts, broken: list[tuple[str, str]]) -> list[dict[str, str]]:
    reasons = []
    for one in item.contraindications:
        try:
            if holds(one.condition, facts):
                reasons.append(dict(one.reason))
        except InvalidExpression as error:
            broken.append((item.code, str(error)))
            reasons.append(
                {"en": f"A contraindication cannot be checked: {error}", "zh-hans": f"无法核对禁忌：{error}"}
            )
    return reasons


def _too_soon(rule: Rule, done: Mapping[str, int]) -> bool:
    if rule.item not in done:
        return False
    return not rule.repeat_days or done[rule.item] < rule.repeat_days


def _citation(rule: Rule) -> dict[str, str]:
    return {"en": f"Advised against: {rule.citation}", "zh-hans": f"指南不建议：{rule.citation}"}


def _fact(because: Evidence, facts: Facts) -> Fact:
    return Fact(
        dict(because.title), [_shown(value) for value in evaluate(because.expression, facts)][:12], because.unit
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return str(value.get("text") or value.get("code") or value.get("value") or "")
    return str(value)

"""Rule engine: evaluate guideline rules on one patient's facts and decide what to propose or hold back.

Rules decide what is allowed; the learned ranker only orders it (:mod:`apps.recommendations.ranking`). Any reason
against an item wins: a contraindication, a rule advising against it, or an unfulfilled prerequisite.
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
    """A fact to show with a rule: its title and the FHIRPath expression for its value."""

    title: Words
    expression: str
    unit: str = ""


@dataclass(frozen=True)
class Rule:
    """A guideline statement as data.

    Attributes:
        condition: FHIRPath over the facts.
        effect: ``propose`` or ``avoid``.
        urgency: one of URGENCIES.
        due_days: days until the recommendation is due.
        repeat_days: interval in days before the item is proposed again after it was done; 0: never.
        citation: the guideline's reference.
        because: facts to show with the recommendation.
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
    """A condition under which an item must not be proposed."""

    condition: str
    reason: Words


@dataclass(frozen=True)
class Item:
    """A care item, with the properties that decisions need.

    Attributes:
        after: codes of prerequisite items.
    """

    code: str
    kind: str
    contraindications: tuple[Contraindication, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A fact that a rule is based on, formatted for display."""

    title: dict[str, str]
    values: list[str]
    unit: str


@dataclass(frozen=True)
class Justification:
    """A rule that holds, with its supporting facts."""

    rule: Rule
    facts: list[Fact]


@dataclass
class Decision:
    """The rules' decision about one item.

    Attributes:
        grounds: rules that propose it.
        against: rules that advise against it.
        held_back: reasons why it is not proposed, by language; empty if it is.
    """

    item: str
    grounds: list[Justification] = field(default_factory=list)
    against: list[Justification] = field(default_factory=list)
    held_back: list[dict[str, str]] = field(default_factory=list)

    @property
    def proposed(self) -> bool:
        """Whether the item is proposed for review."""
        return bool(self.grounds) and not self.held_back

    @property
    def urgency(self) -> str:
        """The highest urgency of its rules."""
        return max((ground.rule.urgency for ground in self.grounds), key=URGENCIES.index)

    @property
    def due_days(self) -> int:
        """The earliest due date of its rules, in days."""
        return min(ground.rule.due_days for ground in self.grounds)


@dataclass(frozen=True)
class Verdict:
    """All decisions about one patient, and the rules that failed to evaluate as (code, reason)."""

    decisions: list[Decision]
    broken: list[tuple[str, str]]


class CircularPrerequisites(Exception):
    """Items are prerequisites of each other; the message lists the cycle."""


def topological_order(items: Iterable[Item]) -> list[str]:
    """Sort item codes so that prerequisites come first.

    Raises:
        CircularPrerequisites: if items are prerequisites of each other.
    """
    try:
        return list(TopologicalSorter({item.code: item.after for item in items}).static_order())
    except CycleError as error:
        raise CircularPrerequisites(" → ".join(str(code) for code in error.args[1])) from None


def decide(
    facts: Facts, rules: Iterable[Rule], items: Mapping[str, Item], done: Mapping[str, int] | None = None
) -> Verdict:
    """Evaluate every rule on one patient's facts.

    Args:
        facts: see :mod:`apps.recommendations.patient_facts`; unknown ones are absent.
        items: by code; rules of missing (withdrawn) items are skipped.
        done: days since each item was last done.

    A rule that fails to evaluate is reported and does not affect other rules. A contraindication that fails to evaluate
    holds the item back; one whose facts are unknown does not: a clinician decides, and sees the facts.
    """
    done = done or {}
    decisions_by_item: dict[str, Decision] = {}
    broken: list[tuple[str, str]] = []
    for rule in rules:
        if rule.item not in items:
            continue
        try:
            if not holds(rule.condition, facts):
                continue
            ground = Justification(rule, [_fact(evidence, facts) for evidence in rule.because])
        except InvalidExpression as error:
            broken.append((rule.code, str(error)))
            continue
        decision = decisions_by_item.setdefault(rule.item, Decision(rule.item))
        if rule.effect == "avoid":
            decision.against.append(ground)
        elif not _too_soon(rule, done):
            decision.grounds.append(ground)
    decisions = [decision for decision in decisions_by_item.values() if decision.grounds]
    for decision in decisions:
        decision.held_back += [_citation(ground.rule) for ground in decision.against]
        decision.held_back += _forbidden(items[decision.item], facts, broken)
        waiting = [code for code in items[decision.item].after if code not in done]
        decision.held_back += [{"en": f"First: {code}", "zh-hans": f"须先完成：{code}"} for code in waiting]
    return Verdict(decisions, broken)


def _forbidden(item: Item, facts: Facts, broken: list[tuple[str, str]]) -> list[dict[str, str]]:
    reasons = []
    for contraindication in item.contraindications:
        try:
            if holds(contraindication.condition, facts):
                reasons.append(dict(contraindication.reason))
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


def _fact(evidence: Evidence, facts: Facts) -> Fact:
    return Fact(
        dict(evidence.title), [_shown(value) for value in evaluate(evidence.expression, facts)][:12], evidence.unit
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return str(value.get("text") or value.get("code") or value.get("value") or "")
    return str(value)

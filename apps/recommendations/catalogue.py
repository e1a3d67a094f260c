"""Catalogue of care items and guideline rules: edited by administrators or imported, tested before activation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor, System
from apps.jobs.errors import UserError
from apps.recommendations.access import require
from apps.recommendations.guidelines import files
from apps.recommendations.guidelines.expressions import InvalidExpression, check, holds
from apps.recommendations.guidelines.plain import MAX_GRADE, grade
from apps.recommendations.guidelines.rule_engine import (
    CircularPrerequisites,
    Contraindication,
    Evidence,
    Item,
    Rule,
    topological_order,
)
from apps.recommendations.models import CareItem, GuidelineRule, ItemKind

BUNDLED = Path(__file__).parent / "guidelines/catalogue.json"


def items() -> dict[str, Item]:
    """Items that are not withdrawn, as input of the rule engine, by code."""
    return {row.code: item_of(row) for row in CareItem.objects.filter(withdrawn_at=None)}


def item_of(row: CareItem) -> Item:
    """An item as input of the rule engine."""
    content = row.content
    against = tuple(
        Contraindication(entry["condition"], entry["reason"]) for entry in content.get("contraindications", [])
    )
    return Item(row.code, row.kind, against, tuple(content.get("after", [])))


def rules() -> list[Rule]:
    """The active rules as input of the rule engine."""
    rows = GuidelineRule.objects.filter(active=True, item__withdrawn_at=None).select_related("item")
    return [rule_of(row) for row in rows.order_by("code")]


def rule_of(row: GuidelineRule) -> Rule:
    """A rule as input of the rule engine."""
    content = {name: value for name, value in row.content.items() if name != "examples"}
    evidence = tuple(Evidence(**entry) for entry in content.pop("because", []))
    return Rule(code=row.code, version=row.version, item=row.item.code, because=evidence, **content)


@cache
def bundled() -> dict[str, list[dict[str, Any]]]:
    """The bundled items and rules."""
    content: dict[str, list[dict[str, Any]]] = json.loads(BUNDLED.read_text())
    return content


def load(content: Mapping[str, Iterable[dict[str, Any]]], *, actor: Actor) -> tuple[int, int]:
    """Import new and changed items and rules; return the number of each. Identical ones are left alone.

    The system actor never overwrites what an administrator changed or stopped, so that an upgrade does not revert
    their decisions.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: if an item or rule is invalid; then nothing is imported.
    """
    with transaction.atomic():
        known = {row.code: row for row in CareItem.objects.all()}
        own_items, own_rules = _of_administrators() if isinstance(actor, System) else (set(), set())
        candidates = [item for item in content["items"] if item["code"] not in own_items]
        new_items = [item for item in candidates if not _is_current(known.get(item["code"]), item)]
        for item in new_items:
            row = known.get(item["code"]) or CareItem(code=item["code"])
            _save_item(row, item, actor)
        _check_prerequisites()
        changed = 0
        for rule in content["rules"]:
            if rule["code"] not in own_rules:
                changed += save_rule(rule, actor=actor) is not None
    return len(new_items), changed


def save_item(item: Mapping[str, Any], *, revision: int, actor: Actor) -> CareItem:
    """Create or update an item.

    Args:
        item: code, kind, title, patient_text, what_to_do (by language), codings, contraindications, after,
            clinicians_only (always true for treatments).
        revision: the revision the actor edited, 0 for a new item.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``item_changed``, ``item_circle``, ``item_unknown``, ``recommendation_hard``, ``rule_broken``.
    """
    require(actor, "recommendations.change_catalogue")
    with transaction.atomic():
        row = CareItem.objects.select_for_update().filter(code=item["code"]).first() or CareItem(code=item["code"])
        if (row.revision if row._state.adding is False else 0) != revision:
            raise UserError("item_changed")
        _save_item(row, item, actor)
        _check_prerequisites()
    return row


def save_rule(rule: Mapping[str, Any], *, actor: Actor) -> GuidelineRule | None:
    """Save a new version of a rule after testing it on its examples; None if the active version is identical.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``rule_broken``, ``rule_untested``, ``rule_examples`` or ``item_unknown``.
    """
    require(actor, "recommendations.change_catalogue")
    content = {name: value for name, value in rule.items() if name not in ("code", "version", "item")}
    failed = test(content)
    outcomes = {bool(example["holds"]) for example in content.get("examples", [])}
    if outcomes != {True, False}:
        raise UserError("rule_untested")
    if failed:
        raise UserError("rule_examples", number=len(failed))
    with transaction.atomic():
        item = CareItem.objects.filter(code=rule["item"]).first()
        if item is None:
            raise UserError("item_unknown", item=str(rule["item"])[:60])
        versions = GuidelineRule.objects.select_for_update().filter(code=rule["code"])
        active = versions.filter(active=True).first()
        if active is not None and active.content == content and active.item_id == item.pk:
            return None
        number = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
        versions.filter(active=True).update(active=False)
        row = GuidelineRule.objects.create(
            code=rule["code"], version=number, item=item, content=content, changed_by=_person(actor)
        )
        audit.record(actor, "rule.saved", row, code=row.code, version=number)
    return row


def stop_rule(row: GuidelineRule, *, actor: Actor) -> bool:
    """Deactivate a rule; return False if it was inactive before.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require(actor, "recommendations.change_catalogue")
    done = GuidelineRule.objects.filter(pk=row.pk, active=True).update(active=False, changed_by=_person(actor))
    if done:
        audit.record(actor, "rule.stopped", row, code=row.code, version=row.version)
    return bool(done)


def test(content: Mapping[str, Any]) -> list[tuple[int, bool | None]]:
    """Evaluate a rule on its examples; return (index, actual outcome) of those that fail.

    Raises:
        UserError: ``rule_broken``.
    """
    try:
        check(content["condition"])
        for evidence in content.get("because", []):
            check(evidence["expression"])
        outcomes = [holds(content["condition"], example["facts"]) for example in content.get("examples", [])]
    except InvalidExpression as problem:
        raise UserError("rule_broken", why=str(problem)) from None
    wanted = [bool(example["holds"]) for example in content.get("examples", [])]
    return [
        (number, outcome)
        for number, (outcome, should) in enumerate(zip(outcomes, wanted, strict=True))
        if bool(outcome) != should
    ]


def read_file(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Parse items and rules from a CSV or FHIR file, for preview before :func:`load`.

    Raises:
        UserError: ``catalogue_file``.
    """
    try:
        return files.read_catalogue(content)
    except files.InvalidCatalogueFile as problem:
        raise UserError("catalogue_file", why=str(problem)) from None


def _save_item(row: CareItem, item: Mapping[str, Any], actor: Actor) -> None:
    require(actor, "recommendations.change_catalogue")
    text = f"{item['patient_text']['en']} {item['what_to_do']['en']}"
    if not _for_clinicians(item) and (hard := grade(text)) > MAX_GRADE:
        raise UserError("recommendation_hard", grade=f"{hard:.1f}", most=f"{MAX_GRADE:g}")
    for entry in item.get("contraindications", []):
        try:
            check(entry["condition"])
        except InvalidExpression as problem:
            raise UserError("rule_broken", why=str(problem)) from None
    row.kind, row.clinicians_only = item["kind"], _for_clinicians(item)
    row.content = _content(item)
    adding = row._state.adding
    row.revision = 1 if adding else row.revision + 1
    row.changed_by, row.changed_at, row.withdrawn_at = _person(actor), timezone.now(), None
    row.save()
    audit.record(actor, "item.saved", row, code=row.code, revision=row.revision)


def _for_clinicians(item: Mapping[str, Any]) -> bool:
    """Whether the item is for clinicians only: marked so, or a treatment."""
    return item["kind"] == ItemKind.TREATMENT or bool(item.get("clinicians_only"))


def _content(item: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: item[name] for name in ("title", "patient_text", "what_to_do")}
    return texts | {name: list(item.get(name, [])) for name in ("codings", "contraindications", "after")}


def _is_current(row: CareItem | None, item: Mapping[str, Any]) -> bool:
    if row is None or row.withdrawn_at is not None:
        return row is not None  # an import does not restore an item that an administrator withdrew
    return (row.kind, row.clinicians_only, row.content) == (
        item["kind"],
        _for_clinicians(item),
        _content(item),
    )


def _of_administrators() -> tuple[set[str], set[str]]:
    """Codes of items and rules whose last change was made by a person."""
    own_items = CareItem.objects.filter(changed_by__isnull=False).values_list("code", flat=True)
    newest = GuidelineRule.objects.order_by("code", "-version").values_list("code", "changed_by")
    last: dict[str, Any] = {}
    for code, person in newest:
        last.setdefault(code, person)
    return set(own_items), {code for code, person in last.items() if person is not None}


def _check_prerequisites() -> None:
    known = items()
    for item in known.values():
        for code in item.after:
            if code not in known:
                raise UserError("item_unknown", item=code)
    try:
        topological_order(known.values())
    except CircularPrerequisites as circle:
        raise UserError("item_circle", circle=str(circle)) from None


def _person(actor: Actor) -> Any:
    return None if isinstance(actor, System) else actor

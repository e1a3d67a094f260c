"""Keeping the catalogue of care items and the guidelines' rules: by administrators, from files, tested before they
count."""

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
from apps.recommendations.guidelines.plain import HARDEST, grade
from apps.recommendations.guidelines.rule_engine import Circular, Contraindication, Evidence, Item, Rule, in_order
from apps.recommendations.models import CareItem, GuidelineRule, ItemKind

BUNDLED = Path(__file__).parent / "guidelines/catalogue.json"


def items() -> dict[str, Item]:
    """Items that are not withdrawn, as the kernel takes them."""
    return {row.code: item_of(row) for row in CareItem.objects.filter(withdrawn_at=None)}


def item_of(row: CareItem) -> Item:
    """One item as the kernel takes it."""
    content = row.content
    against = tuple(Contraindication(one["condition"], one["reason"]) for one in content.get("contraindications", []))
    return Item(row.code, row.kind, against, tuple(content.get("after", [])))


def rules() -> list[Rule]:
    """The active rules, as the kernel takes them."""
    rows = GuidelineRule.objects.filter(active=True, item__withdrawn_at=None).select_related("item")
    return [rule_of(row) for row in rows.order_by("code")]


def rule_of(row: GuidelineRule) -> Rule:
    """One rule as the kernel takes it."""
    content = {name: value for name, value in row.content.items() if name != "examples"}
    because = tuple(Evidence(**one) for one in content.pop("because", []))
    return Rule(code=row.code, version=row.version, item=row.item.code, because=because, **content)


@cache
def bundled() -> dict[str, list[dict[str, Any]]]:
    """The items and rules that come with the software."""
    found: dict[str, list[dict[str, Any]]] = json.loads(BUNDLED.read_text())
    return found


def load(content: Mapping[str, Iterable[dict[str, Any]]], *, actor: Actor) -> tuple[int, int]:
    """Take items and rules over that are not there yet or differ; how many of each. What is there stays if it is alike.

    The software itself never changes what an administrator changed or stopped: an upgrade brings back nothing that
    somebody decided against.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: saying what is wrong with which; nothing is taken over then.
    """
    with transaction.atomic():
        known = {row.code: row for row in CareItem.objects.all()}
        own_items, own_rules = _of_administrators() if isinstance(actor, System) else (set(), set())
        items_given = [one for one in content["items"] if one["code"] not in own_items]
        new_items = [one for one in items_given if not _alike(known.get(one["code"]), one)]
        for one in new_items:
            row = known.get(one["code"]) or CareItem(code=one["code"])
            _save_item(row, one, actor)
        _check_circles()
        changed = 0
        for one in (rule for rule in content["rules"] if rule["code"] not in own_rules):
            changed += save_rule(one, actor=actor) is not None
    return len(new_items), changed


def save_item(given: Mapping[str, Any], *, revision: int, actor: Actor) -> CareItem:
    """Add or change an item.

    Args:
        given: code, kind, title, patient_text, what_to_do (by language), codings, contraindications, after,
            clinicians_only (true for every treatment, whatever it says).
        revision: what the actor saw, 0 for a new one.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``item_changed``, ``item_circle``, ``item_unknown``, ``recommendation_hard``, ``rule_broken``.
    """
    require(actor, "recommendations.change_catalogue")
    with transaction.atomic():
        row = CareItem.objects.select_for_update().filter(code=given["code"]).first() or CareItem(code=given["code"])
        if (row.revision if row._state.adding is False else 0) != revision:
            raise UserError("item_changed")
        _save_item(row, given, actor)
        _check_circles()
    return row


def save_rule(given: Mapping[str, Any], *, actor: Actor) -> GuidelineRule | None:
    """Add a version of a rule after testing it on its examples; None if the active version says the same already.

    Raises:
        PermissionError: if the actor is no administrator.
        UserError: ``rule_broken``, ``rule_untested``, ``rule_examples`` or ``item_unknown``.
    """
    require(actor, "recommendations.change_catalogue")
    content = {name: value for name, value in given.items() if name not in ("code", "version", "item")}
    failed = test(content)
    outcomes = {bool(one["holds"]) for one in content.get("examples", [])}
    if outcomes != {True, False}:
        raise UserError("rule_untested")
    if failed:
        raise UserError("rule_examples", number=len(failed))
    with transaction.atomic():
        item = CareItem.objects.filter(code=given["item"]).first()
        if item is None:
            raise UserError("item_unknown", item=str(given["item"])[:60])
        versions = GuidelineRule.objects.select_for_update().filter(code=given["code"])
        active = versions.filter(active=True).first()
        if active is not None and active.content == content and active.item_id == item.pk:
            return None
        number = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
        versions.filter(active=True).update(active=False)
        row = GuidelineRule.objects.create(
            code=given["code"], version=number, item=item, content=content, changed_by=_person(actor)
        )
        audit.record(actor, "rule.saved", row, code=row.code, version=number)
    return row


def stop_rule(row: GuidelineRule, *, actor: Actor) -> bool:
    """No longer ask this rule; False if it is so already.

    Raises:
        PermissionError: if the actor is no administrator.
    """
    require(actor, "recommendations.change_catalogue")
    done = GuidelineRule.objects.filter(pk=row.pk, active=True).update(active=False, changed_by=_person(actor))
    if done:
        audit.record(actor, "rule.stopped", row, code=row.code, version=row.version)
    return bool(done)


def test(content: Mapping[str, Any]) -> list[tuple[int, bool | None]]:
    """The examples that come out otherwise than they should: number, and what came out.

    Raises:
        UserError: ``rule_broken``.
    """
    try:
        check(content["condition"])
        for because in content.get("because", []):
            check(because["expression"])
        outcomes = [holds(content["condition"], one["facts"]) for one in content.get("examples", [])]
    except InvalidExpression as problem:
        raise UserError("rule_broken", why=str(problem)) from None
    wanted = [bool(one["holds"]) for one in content.get("examples", [])]
    return [
        (number, outcome)
        for number, (outcome, should) in enumerate(zip(outcomes, wanted, strict=True))
        if bool(outcome) != should
    ]


def read_file(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Items and rules of a CSV or FHIR file, to be looked at before :func:`load`.

    Raises:
        UserError: ``catalogue_file``.
    """
    try:
        return files.read_catalogue(content)
    except files.Unusable as problem:
        raise UserError("catalogue_file", why=str(problem)) from None


def _save_item(row: CareItem, given: Mapping[str, Any], actor: Actor) -> None:
    require(actor, "recommendations.change_catalogue")
    text = f"{given['patient_text']['en']} {given['what_to_do']['en']}"
    if not _for_clinicians(given) and (hard := grade(text)) > HARDEST:
        raise UserError("recommendation_hard", grade=f"{hard:.1f}", most=f"{HARDEST:g}")
    for one in given.get("contraindications", []):
        try:
            check(one["condition"])
        except InvalidExpression as problem:
            raise UserError("rule_broken", why=str(problem)) from None
    row.kind, row.clinicians_only = given["kind"], _for_clinicians(given)
    row.content = _content(given)
    adding = row._state.adding
    row.revision = 1 if adding else row.revision + 1
    row.changed_by, row.changed_at, row.withdrawn_at = _person(actor), timezone.now(), None
    row.save()
    audit.record(actor, "item.saved", row, code=row.code, revision=row.revision)


def _for_clinicians(given: Mapping[str, Any]) -> bool:
    """What is marked so, and every treatment whatever it says."""
    return given["kind"] == ItemKind.TREATMENT or bool(given.get("clinicians_only"))


def _content(given: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: given[name] for name in ("title", "patient_text", "what_to_do")}
    return kept | {name: list(given.get(name, [])) for name in ("codings", "contraindications", "after")}


def _alike(row: CareItem | None, given: Mapping[str, Any]) -> bool:
    if row is None or row.withdrawn_at is not None:
        return row is not None  # what an administrator withdrew is not brought back by a file
    return (row.kind, row.clinicians_only, row.content) == (
        given["kind"],
        _for_clinicians(given),
        _content(given),
    )


def _of_administrators() -> tuple[set[str], set[str]]:
    """Codes of items and rules that a person changed last."""
    own_items = CareItem.objects.filter(changed_by__isnull=False).values_list("code", flat=True)
    newest = GuidelineRule.objects.order_by("code", "-version").values_list("code", "changed_by")
    last: dict[str, Any] = {}
    for code, person in newest:
        last.setdefault(code, person)
    return set(own_items), {code for code, person in last.items() if person is not None}


def _check_circles() -> None:
    known = items()
    for item in known.values():
        for code in item.after:
            if code not in known:
                raise UserError("item_unknown", item=code)
    try:
        in_order(known.values())
    except Circular as circle:
        raise UserError("item_circle", circle=str(circle)) from None


def _person(actor: Actor) -> Any:
    return None if isinstance(actor, System) else actor

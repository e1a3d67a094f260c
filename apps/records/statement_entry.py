"""Entering a statement: codes and doses are checked, and a drug is checked against the patient's record first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.jobs.errors import UserError
from apps.records.access import require
from apps.records.coding import candidates, contradicts, exact_code
from apps.records.dosage import parse_dose
from apps.records.models import Case, Intent, Statement, StatementKind, StatementStatus
from apps.records.problem_list import add_statement, no_known_text, recorded, set_status
from apps.records.renal_function import newest_egfr
from apps.terminology.conditions import title_of
from apps.terminology.order_check import Warning as OrderWarning
from apps.terminology.order_check import check_order

ICD10_CODE = re.compile(r"^[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?$")
PREGNANCY = ("Z33", "Z34", "O")
"""Beginnings of ICD-10-CM codes that say that the patient is pregnant."""
DETAILS = {
    StatementKind.PROBLEM: ("onset", "ended_as_stated"),
    StatementKind.ALLERGY: ("type", "reaction", "severity", "certainty", "no_known", "onset"),
    StatementKind.MEDICATION: ("route", "frequency", "intent", "ended_as_stated"),
}
"""What a kind of statement holds beside its words, its code and its dose."""


class OrderQuestion(UserError):
    """A drug about which there are warnings; it is recorded only with a reason."""

    def __init__(self, warnings: list[OrderWarning]) -> None:
        super().__init__("order_warnings")
        self.warnings = warnings


def enter_statement(case: Case, entry: Mapping[str, Any], *, actor: User, override: str = "") -> Statement:
    """Record what a form holds (see ``StatementForm``).

    Args:
        override: why a drug is recorded despite the warnings; kept with the statement.

    Raises:
        PermissionError: if the actor does not care for the patient.
        OrderQuestion: if the order check warns and there is no reason to record the drug anyway.
        UserError: ``code_unknown``, ``code_contradicts``, ``dose_unit``, ``dose_ambiguous``, or as
            :func:`add_statement`.
    """
    kind = StatementKind(entry["kind"])
    details = {name: str(entry.get(name) or "") for name in DETAILS[kind]}
    text, code, chosen = _words_and_code(kind, entry, details)
    if kind == StatementKind.MEDICATION:
        details["dose"], details["unit"] = parse_dose(str(entry.get("dose") or ""))
    status = StatementStatus(entry.get("status") or StatementStatus.ACTIVE)
    if kind == StatementKind.MEDICATION and status == StatementStatus.CONDITIONAL:
        details["intent"] = details["intent"] or Intent.PLAN
    if kind == StatementKind.MEDICATION and status in (StatementStatus.ACTIVE, StatementStatus.CONDITIONAL):
        known = recorded(case, kind, text=text, code=code, details=details, status=status)
        warnings = [] if known is not None else warnings_about(case, text, code)
        if warnings and not override.strip():
            raise OrderQuestion(warnings)
        if warnings:
            details["override"] = override.strip()[:300]
            details["warned"] = "; ".join(warning.text for warning in warnings)[:1000]
    return add_statement(
        case,
        kind,
        text=text,
        code=code,
        code_chosen=chosen,
        since=entry.get("since"),
        ended=entry.get("ended"),
        status=status,
        actor=actor,
        **details,
    )


def correct_statement(statement: Statement, entry: Mapping[str, Any], *, actor: User, override: str = "") -> Statement:
    """Mark a statement as entered in error and record what a form holds in its place, in one step, with a link to it.

    Args:
        override: see :func:`enter_statement`.

    Raises:
        PermissionError, OrderQuestion, UserError: as :func:`enter_statement`; then nothing is changed.
        UserError: ``statement_in_error`` if somebody else has marked it as an error in the meantime.
    """
    require(actor, "records.view_case", statement.case)
    with transaction.atomic():
        current = Statement.objects.select_for_update(of=("self",)).select_related("case").get(pk=statement.pk)
        if current.status == StatementStatus.ERROR:
            raise UserError("statement_in_error")
        set_status(current, StatementStatus.ERROR, actor=actor)
        corrected = enter_statement(current.case, {**entry, "kind": current.kind}, actor=actor, override=override)
        corrected.corrects = current
        corrected.save(update_fields=["corrects"])
    return corrected


def entry_of(statement: Statement) -> dict[str, Any]:
    """Return a statement as the form in which it is corrected holds it."""
    kept = {"kind": statement.kind, "status": statement.status, "since": statement.since, "ended": statement.ended}
    return {**statement.details, **kept}


def warnings_about(case: Case, order: str, code: str = "") -> list[OrderWarning]:
    """Return what is known against a drug, from all cases: allergies, medication, pregnancy, renal function.

    Args:
        order: the words of the drug.
        code: its RxNorm code, used if the words say nothing.
    """
    rows = list(
        Statement.objects.filter(
            case__patient=case.patient_id,
            status__in=(StatementStatus.ACTIVE, StatementStatus.ON_HOLD),
        ).select_related("case")
    )
    allergies = [allergy_text(row) for row in rows if row.kind == StatementKind.ALLERGY]
    medications = [_readable(row.text, row.code) for row in rows if row.kind == StatementKind.MEDICATION]
    order = _readable(order, code)
    codes = [order] if order.isdigit() else []
    return check_order(
        "" if codes else order,
        allergies=allergies,
        medications=medications,
        codes=codes,
        pregnant=any(row.kind == StatementKind.PROBLEM and row.code.startswith(PREGNANCY) for row in rows),
        egfr=newest_egfr(case.patient),
    )


def _readable(text: str, code: str) -> str:
    """Return the words of a drug if they are known, else its RxNorm code if it has one."""
    return code if code.isdigit() and not candidates(StatementKind.MEDICATION, text) else text


def allergy_text(row: Statement) -> str:
    """Return an allergy as the order check reads it: the substance with its reaction."""
    reaction = row.details.get("reaction", "")
    return f"{row.text} ({reaction})" if reaction else row.text


def _words_and_code(kind: StatementKind, entry: Mapping[str, Any], details: Mapping[str, str]) -> tuple[str, str, bool]:
    """Return the words, the code and whether somebody chose it.

    ``J18.9 Pneumonia, unspecified organism`` is a code with its title, as the list of the form offers it.

    Raises:
        UserError: ``code_unknown`` for a code that does not exist, ``code_contradicts`` for that of another substance.
    """
    text = " ".join(str(entry.get("text") or "").split())
    code = str(entry.get("code") or "").strip()
    if details.get("no_known"):
        return text or no_known_text(details["no_known"]), "", False
    if kind == StatementKind.PROBLEM:
        first, _space, rest = text.partition(" ")
        if ICD10_CODE.match(first.upper()):
            code, text = code or first, rest or title_of(first.upper()) or text
        if code and not title_of(code.upper()):
            raise UserError("code_unknown", given=code[:20])
        code = code.upper()
    if code and contradicts(kind, text, code):
        raise UserError("code_contradicts", given=code[:20], text=text[:60])
    if code:
        return text, code, True
    return text, exact_code(kind, text), False
